//! `${NAME}` and `${NAME:-default}` in the strings of a job file.

/// Replaces variables in `text`; `$${` stands for a literal `${`.
///
/// `env` gives the value of a variable. A default may be empty, and is used
/// when the variable is not set or empty, as in a shell. The error has what is
/// wrong and what to do.
pub(super) fn interpolate(
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<String, (String, String)> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, variable) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = &variable[2..];
            continue;
        }
        out.push_str(before);
        let Some((inside, after)) = variable[2..].split_once('}') else {
            return Err((
                "`${` is not closed".into(),
                "close it with `}`, or write `$${` for a literal `${`".into(),
            ));
        };
        out.push_str(&value_of(inside, env)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn value_of(inside: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, (String, String)> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !valid {
        let message = format!("`{name}` is not a valid variable name");
        return Err((message, "write `${NAME}` or `${NAME:-default}`; `$${` is a literal `${`".into()));
    }
    match (env(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.into()),
        (None, None) => Err((
            format!("the environment variable `{name}` is not set"),
            format!("set it, or give a default: `${{{name}:-…}}`"),
        )),
    }
}
