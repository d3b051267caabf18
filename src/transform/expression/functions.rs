//! The functions that expressions may call: DataFusion's scalar functions.

use super::bounds::bounded;
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, TableReference, plan_err};
use datafusion_expr::planner::{ContextProvider, ExprPlanner};
use datafusion_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion_functions::core::planner::CoreFunctionPlanner;
use datafusion_functions::datetime::planner::DatetimeFunctionPlanner;
use datafusion_functions::unicode::planner::UnicodeFunctionPlanner;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// By name and alias, in lower case.
static FUNCTIONS: LazyLock<BTreeMap<String, Arc<ScalarUDF>>> = LazyLock::new(|| {
    let all = datafusion_functions::all_default_functions().into_iter().map(bounded);
    let named = all.flat_map(|function| {
        let names: Vec<String> = std::iter::once(function.name())
            .chain(function.aliases().iter().map(String::as_str))
            .map(str::to_lowercase)
            .collect();
        names.into_iter().map(move |name| (name, function.clone()))
    });
    named.collect()
});

/// Names that are not scalar functions, and what they are. Only for messages.
const AGGREGATES: &[&str] = &[
    "any_value",
    "approx_distinct",
    "approx_median",
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "collect_list",
    "collect_set",
    "corr",
    "count",
    "first",
    "first_value",
    "grouping",
    "last",
    "last_value",
    "max",
    "mean",
    "median",
    "min",
    "nth_value",
    "stddev",
    "string_agg",
    "sum",
    "var",
];
const WINDOWS: &[&str] =
    &["cume_dist", "dense_rank", "lag", "lead", "ntile", "percent_rank", "rank", "row_number"];

/// The function of that name, in any case.
pub(super) fn find(name: &str) -> Option<&'static Arc<ScalarUDF>> {
    FUNCTIONS.get(&name.to_lowercase())
}

/// All names, sorted.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.keys().map(String::as_str)
}

/// Whether the name is that of a function over several rows.
pub(super) fn is_over_rows(name: &str) -> bool {
    let name = name.to_lowercase();
    AGGREGATES.contains(&name.as_str()) || WINDOWS.contains(&name.as_str())
}

/// What DataFusion's planner asks: there are scalar functions and nothing else.
#[derive(Debug)]
pub(super) struct Functions {
    planners: Vec<Arc<dyn ExprPlanner>>,
    options: ConfigOptions,
}

impl Functions {
    pub(super) fn new() -> Self {
        let mut options = ConfigOptions::default();
        // Of TIMESTAMP WITH TIME ZONE.
        options.execution.time_zone = Some("UTC".into());
        Functions {
            planners: vec![
                Arc::new(CoreFunctionPlanner::default()),
                Arc::new(DatetimeFunctionPlanner),
                Arc::new(UnicodeFunctionPlanner),
            ],
            options,
        }
    }
}

impl ContextProvider for Functions {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        plan_err!("there is no table {name}")
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        find(name).cloned()
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, _name: &str) -> Option<Arc<AggregateUDF>> {
        None
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<arrow::datatypes::DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        names().map(str::to_owned).collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}
