//! Changes to the columns: select, drop, rename.
//!
//! These need no pass over the data: they decide which columns are parsed at
//! all and what they are called.

mod program;
pub mod rows;

pub use program::Program;

use crate::error::{Error, ErrorKind, JobPlace, Result};
use crate::job::TransformSpec;
use crate::schema::Schema;

/// The schema after the transforms, and where its columns come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// Columns of the output, partition columns included.
    pub schema: Schema,
    /// For each of them: its position in the schema before the transforms.
    pub from: Vec<usize>,
}

/// Applies the transforms in order. Errors name `transforms[n]`.
pub fn project(schema: &Schema, transforms: &[TransformSpec]) -> Result<Projection> {
    let mut from: Vec<usize> = (0..schema.columns.len()).collect();
    let mut names: Vec<String> = schema.columns.iter().map(|column| column.name.clone()).collect();
    for (number, transform) in transforms.iter().enumerate() {
        let find = |names: &[String], wanted: &str| {
            names.iter().position(|name| name == wanted).ok_or_else(|| {
                let message = format!("there is no column {wanted:?}; the columns here are {names:?}");
                invalid(number, transform, message)
            })
        };
        match transform {
            TransformSpec::Select(wanted) => {
                let kept = wanted.iter().map(|name| find(&names, name)).collect::<Result<Vec<_>>>()?;
                from = kept.iter().map(|&position| from[position]).collect();
                names = wanted.clone();
            }
            TransformSpec::Drop(unwanted) => {
                for name in unwanted {
                    let position = find(&names, name)?;
                    from.remove(position);
                    names.remove(position);
                }
            }
            TransformSpec::Rename(renames) => {
                let places = renames
                    .iter()
                    .map(|(old, new)| Ok((find(&names, old)?, new.clone())))
                    .collect::<Result<Vec<_>>>()?;
                for (position, new) in places {
                    names[position] = new;
                }
            }
        }
        if names.is_empty() {
            return Err(invalid(number, transform, "no column is left"));
        }
        if let Some(twice) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            return Err(invalid(number, transform, format!("the column {:?} stands twice now", twice.1)));
        }
    }
    let columns = from.iter().zip(names).map(|(&position, name)| {
        let mut column = schema.columns[position].clone();
        column.name = name;
        column
    });
    let keys = schema.keys_among(&from);
    Ok(Projection { schema: Schema { columns: columns.collect(), keys }, from })
}

fn invalid(number: usize, transform: &TransformSpec, message: impl Into<String>) -> Error {
    let verb = match transform {
        TransformSpec::Select(_) => "select",
        TransformSpec::Drop(_) => "drop",
        TransformSpec::Rename(_) => "rename",
    };
    let key = Some(format!("transforms[{number}].{verb}"));
    let place = JobPlace { file: "job".into(), key, ..JobPlace::default() };
    ErrorKind::Job { message: message.into(), place }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Column, ColumnType, TextRules};

    fn schema(names: &[&str]) -> Schema {
        let column = |name: &&str| Column {
            source_name: name.to_string(),
            name: name.to_string(),
            column_type: ColumnType::Text,
            nullable: true,
            rules: TextRules::default(),
            constraints: Vec::new(),
        };
        Schema::new(names.iter().map(column).collect())
    }

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn transforms_apply_in_order() {
        let transforms = [
            TransformSpec::Drop(strings(&["b"])),
            TransformSpec::Rename([("a".to_owned(), "b".to_owned())].into()),
            TransformSpec::Select(strings(&["c", "b"])),
        ];
        let projection = project(&schema(&["a", "b", "c"]), &transforms).unwrap();
        assert_eq!(projection.from, [2, 0]);
        let names: Vec<_> = projection.schema.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["c", "b"]);
        assert_eq!(projection.schema.columns[1].source_name, "a");
    }

    #[test]
    fn mistakes_name_the_transform() {
        for (transform, expected) in [
            (TransformSpec::Select(strings(&["x"])), "transforms[0].select: there is no column \"x\""),
            (TransformSpec::Drop(strings(&["a", "b"])), "transforms[0].drop: no column is left"),
            (TransformSpec::Rename([("a".to_owned(), "b".to_owned())].into()), "\"b\" stands twice"),
        ] {
            let error = project(&schema(&["a", "b"]), &[transform]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
