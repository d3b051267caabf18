//! The steps of a job → operations on slots.
//!
//! Columns are followed by name here and by [`Slot`] afterwards: to select,
//! drop, rename or reorder costs nothing at run time. Every mistake in a step
//! is an error that names it, before any data is read.

use super::expression::Expression;
use super::frame::{Blame, Slot};
use super::keys::Key;
use super::lossless_cast;
use super::operations::{self, Operation, Salt, Source};
use super::rows::{KeyCheck, KeyMeaning, RunContext};
use crate::error::{Result, nearest_column};
use crate::rows::judge;
use crate::schema::{Column, Schema};
use crate::spanned::{KeyPath, Problem};
use crate::spec::{
    CastSpec, CheckSpec, DeduplicateSpec, DefaultValue, DeriveSpec, Entries, ErrorsSpec, HashSpec, KeepRow,
    LineageSpec, MaskSpec, RecordPolicy, TextOr, TransformSpec, ValuePolicy,
};
use crate::value::{ColumnType, Converter};
use arrow::array::Scalar;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Longest text that a step puts into rows as it stands: of the 256 Ki rows that
/// a block can have, 256 MiB.
const MAX_CONSTANT_BYTES: usize = 1 << 10;

/// Reads a variable of the environment.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A column at some step.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) column: Column,
    pub(super) slot: Slot,
    /// Made by the job, not declared by the schema.
    pub(super) derived: bool,
}

/// The columns as they are after the steps so far, and what makes them.
pub(super) struct Compiler<'a> {
    errors: &'a ErrorsSpec,
    run: &'a RunContext,
    env: Environment<'a>,
    pub(super) columns: Vec<Live>,
    pub(super) operations: Vec<Box<dyn Operation>>,
    pub(super) keys: Vec<Key>,
    pub(super) slots: usize,
    /// The names that policies of columns are looked up by.
    pub(super) policy_names: BTreeSet<String>,
}

/// What happens to bad values, and the key of the job file that says so.
type Policy = (ValuePolicy, String);

/// The policy for the values of a column of this name.
pub(super) fn column_policy(errors: &ErrorsSpec, name: &str) -> Policy {
    let key = KeyPath::from("errors");
    let key = match errors.columns.contains_key(name) {
        true => key.key("columns").key(name),
        false => key.key("bad_value"),
    };
    (errors.for_column(name), key.to_string())
}

impl<'a> Compiler<'a> {
    /// Begins with the columns of `schema`, each in the slot of its position.
    pub(super) fn new(
        schema: &Schema,
        errors: &'a ErrorsSpec,
        run: &'a RunContext,
        env: Environment<'a>,
    ) -> Self {
        let live = |(slot, column): (Slot, &Column)| Live { column: column.clone(), slot, derived: false };
        Compiler {
            errors,
            run,
            env,
            columns: schema.columns.iter().enumerate().map(live).collect(),
            operations: Vec::new(),
            keys: Vec::new(),
            slots: schema.columns.len(),
            policy_names: schema.columns.iter().map(|column| column.name.clone()).collect(),
        }
    }

    /// Adds the step at this position of `transforms`.
    pub(super) fn step(&mut self, number: usize, step: &TransformSpec) -> Result<()> {
        let key = KeyPath::from("transforms").index(number).key(step.name());
        let compiled = match step {
            TransformSpec::Select(names) => self.select(names, &key),
            TransformSpec::Drop(names) => self.drop_columns(names, &key),
            TransformSpec::Rename(names) => self.rename(names, &key),
            TransformSpec::Reorder(names) => self.reorder(names, &key),
            TransformSpec::Cast(casts) => self.cast(casts, &key),
            TransformSpec::Default(values) => self.fill(values, &key),
            TransformSpec::Derive(columns) => self.derive(columns, &key),
            TransformSpec::Filter(expression) => self.filter(expression, &key),
            TransformSpec::Check(check) => self.check(check, &key),
            TransformSpec::Deduplicate(spec) => self.deduplicate(spec, &key),
            TransformSpec::Mask(masks) => self.mask(masks, &key),
            TransformSpec::Hash(hash) => self.hash(hash, &key),
            TransformSpec::Lineage(columns) => {
                self.lineage(columns);
                Ok(())
            }
        };
        compiled.and_then(|()| self.check_names(&key)).map_err(|problem| problem.into_error("job"))
    }

    fn check_names(&self, key: &KeyPath) -> Step {
        let problem = |message: &str| Problem::new(key.clone(), message);
        let mut names = HashSet::new();
        let twice = self.columns.iter().find(|live| !names.insert(live.column.name.as_str()));
        if self.columns.is_empty() {
            Err(problem("no column is left").remedy("leave at least one"))
        } else if names.contains("") {
            Err(problem("a column has no name now").remedy("name it"))
        } else if let Some(live) = twice {
            let message = format!("duplicate column {:?}", live.column.name);
            Err(problem(&message).remedy("give each column a name of its own"))
        } else {
            Ok(())
        }
    }

    fn find(&self, name: &str, key: &KeyPath) -> Result<usize, Problem> {
        self.columns.iter().position(|live| live.column.name == name).ok_or_else(|| {
            let names = self.columns.iter().map(|live| live.column.name.as_str());
            Problem::new(key.clone(), format!("there is no column {name:?} here"))
                .remedy(nearest_column(name, names))
        })
    }

    /// Positions of columns named in a list, none of them twice.
    fn find_all(&self, names: &[String], key: &KeyPath) -> Result<Vec<usize>, Problem> {
        let mut seen = HashSet::new();
        names
            .iter()
            .enumerate()
            .map(|(i, name)| match seen.insert(name) {
                true => self.find(name, &key.index(i)),
                false => {
                    Err(Problem::new(key.index(i), format!("duplicate column {name:?}"))
                        .remedy("name it once"))
                }
            })
            .collect()
    }

    fn select(&mut self, names: &[String], key: &KeyPath) -> Step {
        let kept = self.find_all(names, key)?;
        self.columns = kept.into_iter().map(|position| self.columns[position].clone()).collect();
        Ok(())
    }

    fn drop_columns(&mut self, names: &[String], key: &KeyPath) -> Step {
        self.find_all(names, key)?;
        self.columns.retain(|live| !names.contains(&live.column.name));
        Ok(())
    }

    fn rename(&mut self, names: &BTreeMap<String, String>, key: &KeyPath) -> Step {
        let places = names.iter().map(|(old, new)| Ok((self.find(old, &key.key(old))?, new)));
        for (position, new) in places.collect::<Result<Vec<_>, Problem>>()? {
            self.columns[position].column.name = new.clone();
        }
        Ok(())
    }

    fn reorder(&mut self, names: &[String], key: &KeyPath) -> Step {
        let first = self.find_all(names, key)?;
        let rest = (0..self.columns.len()).filter(|position| !first.contains(position));
        self.columns =
            first.iter().copied().chain(rest).map(|position| self.columns[position].clone()).collect();
        Ok(())
    }

    fn cast(&mut self, casts: &Entries<TextOr<CastSpec>>, key: &KeyPath) -> Step {
        for (name, cast) in &casts.0 {
            let key = key.key(name);
            let position = self.find(name, &key)?;
            let to: ColumnType = cast.to().parse().map_err(|error: crate::value::TypeNameError| {
                Problem::new(key.clone(), error.message).remedy(error.remedy)
            })?;
            let from = self.columns[position].column.column_type;
            if let Some(why) = lossless_cast::refusal(from, to) {
                return Err(Problem::new(key, format!("a `{from}` cannot be cast to `{to}`")).remedy(why));
            }
            let policy = self.step_policy(name, cast.on_error(), &key);
            self.cast_column(position, to, policy);
        }
        Ok(())
    }

    /// Casts a column, unless it has the type already.
    pub(super) fn cast_column(&mut self, position: usize, to: ColumnType, policy: Policy) {
        let live = self.columns[position].clone();
        if live.column.column_type == to {
            return;
        }
        let slot = self.new_slot();
        self.operations.push(Box::new(operations::Cast {
            from: (live.slot, live.column.column_type),
            to: (slot, to),
            blame: blame(&live.column, policy),
        }));
        let column = Column { column_type: to, ..live.column };
        self.columns[position] = Live { column, slot, ..live };
    }

    /// A column without values, which is not among [`Compiler::columns`] yet.
    pub(super) fn null_column(&mut self, name: &str, column_type: ColumnType) -> Live {
        let slot = self.new_slot();
        self.operations.push(Box::new(operations::Nulls { to: slot, column_type }));
        Live { column: Column::new(name, column_type), slot, derived: true }
    }

    fn fill(&mut self, values: &Entries<DefaultValue>, key: &KeyPath) -> Step {
        for (name, value) in &values.0 {
            let key = key.key(name);
            let position = self.find(name, &key)?;
            let column_type = self.columns[position].column.column_type;
            let text = value.to_string();
            check_constant(&text, &key)?;
            let parsed = Converter::plain(column_type).read_one(&text);
            let Some(parsed) = parsed.ok().filter(|_| column_type != ColumnType::Binary) else {
                let message = format!("{text:?} is not a valid {column_type}");
                return Err(Problem::new(key, message)
                    .remedy(format!("write a value of the column's type, `{column_type}`")));
            };
            let from = self.columns[position].slot;
            let to = self.new_slot();
            self.operations.push(Box::new(operations::FillNulls { from, to, value: Scalar::new(parsed) }));
            self.columns[position].slot = to;
        }
        Ok(())
    }

    fn derive(&mut self, derived: &Entries<TextOr<DeriveSpec>>, key: &KeyPath) -> Step {
        let before = self.columns.clone();
        for (name, spec) in &derived.0 {
            let source = compile(&before, spec.expression(), &key.key(name))?;
            let column = Column::new(name, source.expression.result());
            let policy = self.step_policy(name, spec.on_error(), &key.key(name));
            let slot = self.new_slot();
            let blame = blame(&column, policy);
            self.operations.push(Box::new(operations::Derive { source, to: slot, blame }));
            let live = Live { column, slot, derived: true };
            match self.columns.iter_mut().find(|live| live.column.name == *name) {
                Some(replaced) => *replaced = live,
                None => self.columns.push(live),
            }
        }
        Ok(())
    }

    fn filter(&mut self, expression: &str, key: &KeyPath) -> Step {
        self.check_before_deduplicate(key)?;
        let source = self.condition(expression, key)?;
        let blame = self.blame_rows(None);
        self.operations.push(Box::new(operations::Filter { source, blame }));
        Ok(())
    }

    fn check(&mut self, check: &CheckSpec, key: &KeyPath) -> Step {
        self.check_before_deduplicate(key)?;
        let source = self.condition(&check.expression, &key.key("expression"))?;
        let policy = check.on_fail.map(|policy| match policy {
            RecordPolicy::Fail => ValuePolicy::Fail,
            RecordPolicy::Reject => ValuePolicy::Reject,
        });
        let blame = self.blame_rows(policy.map(|policy| (policy, key.key("on_fail").to_string())));
        let name = check.name.as_ref().unwrap_or(&check.expression).clone();
        self.operations.push(Box::new(operations::Check { source, name, blame }));
        Ok(())
    }

    fn condition(&self, expression: &str, key: &KeyPath) -> Result<Source, Problem> {
        let source = compile(&self.columns, expression, key)?;
        match source.expression.result() {
            ColumnType::Boolean => Ok(source),
            other => Err(Problem::new(
                key.clone(),
                format!("gives a `{other}`, not true or false\n  | {expression}"),
            )
            .remedy("compare it with something")),
        }
    }

    /// Rows are compared when all steps are done, so none may leave out rows after it.
    fn check_before_deduplicate(&self, key: &KeyPath) -> Step {
        match self.keys.is_empty() {
            true => Ok(()),
            false => Err(Problem::new(
                key.clone(),
                "comes after `deduplicate`, which must see all rows that are left",
            )
            .remedy("put it before `deduplicate`")),
        }
    }

    fn deduplicate(&mut self, spec: &DeduplicateSpec, key: &KeyPath) -> Step {
        self.check_before_deduplicate(key)?;
        let positions = self.find_all(&spec.key, &key.key("key"))?;
        if positions.is_empty() {
            return Err(Problem::new(key.key("key"), "lists no columns").remedy("name at least one"));
        }
        let meaning = match spec.keep {
            KeepRow::First => KeyMeaning::KeepFirst,
            KeepRow::Last => KeyMeaning::KeepLast,
        };
        let live = positions.iter().map(|&position| &self.columns[position]);
        let columns: Vec<_> = live.map(|live| (live.slot, live.column.column_type)).collect();
        let check = KeyCheck { columns: spec.key.clone(), meaning, policy_key: None };
        let made = Key::new(check, &columns);
        self.keys.push(made.map_err(|cause| Problem::new(key.key("key"), cause.to_string()))?);
        Ok(())
    }

    fn mask(&mut self, masks: &Entries<MaskSpec>, key: &KeyPath) -> Step {
        for (name, how) in &masks.0 {
            let key = key.key(name);
            let position = self.find(name, &key)?;
            let column = &self.columns[position].column;
            if let Some(why) = operations::Mask::refusal(how, column.column_type) {
                return Err(
                    Problem::new(key, format!("the column is a `{}`", column.column_type)).remedy(why)
                );
            }
            if let MaskSpec::ReplaceWith(text) = how {
                check_constant(text, &key)?;
            }
            if *how == MaskSpec::Null && !column.nullable {
                return Err(Problem::new(key, "the schema calls the column required, so it cannot be null")
                    .remedy("use another mask, `drop` it, or remove `constraints.required`"));
            }
            let column = column.clone();
            let blame = blame(&column, self.policy(name));
            let (from, how) = (self.columns[position].slot, how.clone());
            let to = self.new_slot();
            self.operations.push(Box::new(operations::Mask { how, from, to, blame }));
            self.columns[position].slot = to;
        }
        Ok(())
    }

    fn hash(&mut self, hash: &HashSpec, key: &KeyPath) -> Step {
        let salt = self.salt(&hash.salt_env).map_err(|problem| problem.under(&key.key("salt_env")))?;
        for position in self.find_all(&hash.columns, &key.key("columns"))? {
            let live = self.columns[position].clone();
            let column_type = live.column.column_type;
            if column_type == ColumnType::Binary {
                let message = format!("the column {:?} holds bytes, which have no text", live.column.name);
                return Err(Problem::new(key.key("columns"), message)
                    .remedy("make text of it with `derive` and encode(…, 'hex')"));
            }
            let to = self.new_slot();
            let salt = salt.clone();
            self.operations.push(Box::new(operations::Hash { salt, from: (live.slot, column_type), to }));
            let column = Column { column_type: ColumnType::Text, ..live.column };
            self.columns[position] = Live { column, slot: to, ..live };
        }
        Ok(())
    }

    fn salt(&self, name: &str) -> Result<Salt, Problem> {
        let at_root = |message: String| Problem::new(KeyPath::root(), message);
        let unset = || {
            at_root(format!("the environment variable {name:?} is not set, or empty"))
                .remedy("set it to the salt in every process that plans or runs the job")
        };
        let secret = (self.env)(name).filter(|secret| !secret.is_empty()).ok_or_else(unset)?;
        Salt::new(&secret).map_err(|_| at_root(format!("the value of {name:?} is not a valid key")))
    }

    fn lineage(&mut self, columns: &Entries<LineageSpec>) {
        for (name, what) in &columns.0 {
            let to = self.new_slot();
            self.operations.push(Box::new(operations::Lineage { what: *what, run: self.run.clone(), to }));
            let mut column = Column::new(name, operations::Lineage::column_type(*what));
            column.nullable = false;
            self.columns.push(Live { column, slot: to, derived: true });
        }
    }

    /// The policy for a column of that name, which is looked up here.
    pub(super) fn policy(&mut self, name: &str) -> Policy {
        self.policy_names.insert(name.to_owned());
        column_policy(self.errors, name)
    }

    /// The policy for what a step, at `key`, makes of a column: its own, or that of the column.
    fn step_policy(&mut self, name: &str, on_error: Option<ValuePolicy>, key: &KeyPath) -> Policy {
        match on_error {
            Some(policy) => (policy, key.key("on_error").to_string()),
            None => self.policy(name),
        }
    }

    /// Blames no column: null is not a choice. The policy is that of the step, if it has one.
    fn blame_rows(&self, policy: Option<Policy>) -> Blame {
        let (policy, key) = policy.unwrap_or_else(|| (self.errors.bad_value, "errors.bad_value".to_owned()));
        Blame { column: None, policy: judge(policy, false), policy_key: Some(key) }
    }

    fn new_slot(&mut self) -> Slot {
        self.slots += 1;
        self.slots - 1
    }
}

/// Blames the values of a column.
pub(super) fn blame(column: &Column, (policy, key): Policy) -> Blame {
    let policy = judge(policy, column.nullable);
    Blame { column: Some(column.name.clone()), policy, policy_key: Some(key) }
}

fn check_constant(text: &str, key: &KeyPath) -> Step {
    match text.len() <= MAX_CONSTANT_BYTES {
        true => Ok(()),
        false => {
            let message = format!("the text has {} bytes, more than {MAX_CONSTANT_BYTES}", text.len());
            Err(Problem::new(key.clone(), message).remedy("shorten it: many rows may get a copy"))
        }
    }
}

/// What a step comes to: nothing, or a mistake.
type Step = Result<(), Problem>;

fn compile(columns: &[Live], text: &str, key: &KeyPath) -> Result<Source, Problem> {
    let typed: Vec<_> =
        columns.iter().map(|live| (live.column.name.as_str(), live.column.column_type)).collect();
    let (expression, used) =
        Expression::compile(text, &typed).map_err(|mistake| mistake.into_problem(key.clone(), text))?;
    Ok(Source { expression, inputs: used.into_iter().map(|position| columns[position].slot).collect() })
}
