//! Syntax tree → expression that DataFusion evaluates, every overflow an error.

use super::formats::{self, Quoted};
use super::functions::Functions;
use super::mistake::Mistake;
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, DataFusionError, Result, ScalarValue, plan_err};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::simplify::SimplifyContext;
use datafusion_expr::{ColumnarValue, Expr, ExprSchemable, Operator};
use datafusion_optimizer::simplify_expressions::ExprSimplifier;
use datafusion_physical_expr::expressions::{BinaryExpr, Literal, NegativeExpr};
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion_sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use datafusion_sql::sqlparser::ast::Expr as SqlExpr;
use std::sync::Arc;

/// Plans `tree`, whose names are exact, over the columns of `schema`. `quoted`:
/// its texts that are arguments of functions that take formats.
pub(super) fn plan(
    tree: SqlExpr,
    schema: &Schema,
    quoted: &[Quoted],
) -> Result<Arc<dyn PhysicalExpr>, Mistake> {
    let said = |error: DataFusionError| {
        let types = schema.fields().iter().map(|field| format!("{} is {}", field.name(), field.data_type()));
        let types = types.collect::<Vec<_>>();
        let mistake = Mistake::of(&error);
        match types.is_empty() {
            true => mistake,
            false => mistake.remedy(format!("{}; CAST(… AS …) changes a type", types.join(", "))),
        }
    };
    let df_schema = Arc::new(DFSchema::try_from(schema.clone()).map_err(said)?);
    let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_schema(df_schema.clone()).build());
    let expr = settle_types(tree, &df_schema, &simplifier).map_err(said)?;
    formats::check(&expr, &df_schema, quoted)?;
    let simplified = fold_constants(expr, &simplifier).and_then(|expr| simplifier.simplify(expr));
    simplified.and_then(|expr| physical(&expr, &df_schema)).map_err(said)
}

/// The expression in DataFusion's terms, with every conversion of types in it.
fn settle_types(tree: SqlExpr, schema: &Arc<DFSchema>, simplifier: &ExprSimplifier) -> Result<Expr> {
    let functions = Functions::new();
    // Numbers with a point are decimals, as in Spark: `price * 1.1` of a decimal stays exact.
    let options = ParserOptions::new()
        .with_parse_float_as_decimal(true)
        .with_enable_ident_normalization(false)
        .with_map_string_types_to_utf8view(false)
        .with_collect_spans(true);
    let planner = SqlToRel::new_with_options(&functions, options);
    let expr = planner.sql_to_expr(tree, schema, &mut PlannerContext::new())?;
    let expr = simplifier.coerce(expr, schema)?;
    check_zones(&expr, schema)?;
    Ok(expr)
}

/// Refuses what would tell the time of another zone than UTC without its zone:
/// `t AT TIME ZONE 'Asia/Tokyo'` is the instant `t` still, and a column of it, or
/// a `CAST` that drops the zone, would hold the clock of UTC.
fn check_zones(expr: &Expr, schema: &DFSchema) -> Result<()> {
    const REMEDY: &str = "to_local_time(… AT TIME ZONE '…') gives the local time";
    expr.apply(|node| {
        if let Expr::Cast(cast) = node {
            if let DataType::Timestamp(_, Some(zone)) = cast.field.data_type()
                && zone.parse::<arrow::array::timezone::Tz>().is_err()
            {
                return plan_err!("there is no time zone {zone:?}");
            }
            if is_local(&cast.expr.get_type(schema)?) {
                return plan_err!("a CAST drops the time zone; {REMEDY}");
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    match is_local(&expr.get_type(schema)?) {
        true => plan_err!("AT TIME ZONE does not change an instant; {REMEDY}"),
        false => Ok(()),
    }
}

/// An instant that is shown by the clocks of a zone.
fn is_local(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, Some(zone)) if !matches!(&**zone, "UTC" | "Z" | "+00:00"))
}

fn physical(expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
    let props = ExecutionProps::new();
    let expr = create_physical_expr(expr, schema, &props, &PhysicalPlanningContext::default())?;
    refuse_overflow(expr, schema.as_arrow())
}

/// Computes what depends on no column, before the simplifier does: that would
/// wrap around where numbers overflow.
fn fold_constants(expr: Expr, simplifier: &ExprSimplifier) -> Result<Expr> {
    let empty = DFSchema::empty();
    let fold = |node: Expr| {
        if matches!(node, Expr::Literal(..) | Expr::Column(_)) || !node.column_refs().is_empty() {
            return Ok(Transformed::no(node));
        }
        match &node {
            Expr::BinaryExpr(binary) if is_literal(&binary.left) && is_literal(&binary.right) => {
                Ok(Transformed::yes(Expr::Literal(constant(&node, &empty)?, None)))
            }
            Expr::Negative(inner) if is_literal(inner) => {
                Ok(Transformed::yes(Expr::Literal(constant(&node, &empty)?, None)))
            }
            Expr::BinaryExpr(_) | Expr::Negative(_) => Ok(Transformed::no(node)),
            _ => simplifier.simplify(node).map(Transformed::yes),
        }
    };
    expr.transform_up(fold).data()
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(..))
}

/// The value of an expression without columns.
pub(super) fn constant(expr: &Expr, empty: &DFSchema) -> Result<ScalarValue> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
    match physical(expr, empty)?.evaluate(&row)? {
        ColumnarValue::Scalar(value) => Ok(value),
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0),
    }
}

/// DataFusion's `+`, `-` and `*` wrap around where integers overflow, unless told otherwise.
fn refuse_overflow(expr: Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Arc<dyn PhysicalExpr>> {
    let checked = |left: &Arc<dyn PhysicalExpr>, operator: Operator, right: &Arc<dyn PhysicalExpr>| {
        let expr = BinaryExpr::new(left.clone(), operator, right.clone()).with_fail_on_overflow(true);
        Transformed::yes(Arc::new(expr) as Arc<dyn PhysicalExpr>)
    };
    let rewrite =
        |node: Arc<dyn PhysicalExpr>| -> Result<Transformed<Arc<dyn PhysicalExpr>>, DataFusionError> {
            if let Some(binary) = node.downcast_ref::<BinaryExpr>() {
                if matches!(binary.op(), Operator::Plus | Operator::Minus | Operator::Multiply) {
                    return Ok(checked(binary.left(), *binary.op(), binary.right()));
                }
            } else if let Some(negative) = node.downcast_ref::<NegativeExpr>() {
                let data_type = negative.data_type(schema)?;
                if data_type.is_signed_integer() {
                    let zero: Arc<dyn PhysicalExpr> =
                        Arc::new(Literal::new(ScalarValue::new_zero(&data_type)?));
                    return Ok(checked(&zero, Operator::Minus, negative.arg()));
                }
            }
            Ok(Transformed::no(node))
        };
    expr.transform_up(rewrite).data()
}

/// The type that an expression gives.
pub(super) fn data_type(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<DataType, Mistake> {
    expr.data_type(schema).map_err(|error| Mistake::of(&error))
}
