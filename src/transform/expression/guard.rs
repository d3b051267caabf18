//! Panics in the library that evaluates expressions → errors of the rows they come up for.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread will be caught here and told as an error.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `evaluate`; a panic is an error that says what the panic said, and
/// prints nothing.
///
/// What `evaluate` works on must be of no use after a panic, or immutable.
pub(super) fn catch_panic<T>(evaluate: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                report(panic);
            }
        }));
    });
    let outer = IS_GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(evaluate));
    IS_GUARDED.set(outer);
    result.map_err(|panic| said(panic.as_ref()))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_errors_with_their_message() {
        assert_eq!(catch_panic(|| 1), Ok(1));
        assert_eq!(catch_panic::<()>(|| panic!("number {}", 7)), Err("number 7".to_owned()));
        let nested = catch_panic(|| {
            let inner = catch_panic::<()>(|| panic!("inner"));
            assert_eq!(inner, Err("inner".to_owned()));
            panic!("outer");
        });
        assert_eq!(nested, Err::<(), _>("outer".to_owned()));
    }
}
