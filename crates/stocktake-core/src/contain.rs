//! Steps of foreign code that may panic on damaged input: a panic of theirs is an error, and nobody's news.
//!
//! The message that a program prints of a panic is the business of the program's own hook, of which there is one. It asks
//! here whether a panic is one that becomes an error.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

thread_local! {
    /// Contained steps that this thread is in, one within the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs a step whose panic is an error with the panic's text; what the step worked on is not to be used again then.
///
/// # Errors
/// The text of the panic.
pub fn contain<T>(step: impl FnOnce() -> T) -> Result<T, String> {
    struct Within;
    impl Drop for Within {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
        }
    }
    DEPTH.set(DEPTH.get() + 1);
    let within = Within;
    let outcome = catch_unwind(AssertUnwindSafe(step));
    drop(within);
    outcome.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("the decoder gave up").to_owned()
    })
}

/// Whether this thread is in a step whose panic becomes an error, so that a hook need not print it.
///
/// ```
/// let usual = std::panic::take_hook();
/// std::panic::set_hook(Box::new(move |panic| {
///     if !stocktake_core::is_contained() {
///         usual(panic);
///     }
/// }));
/// assert_eq!(stocktake_core::contain(|| panic!("damaged")).unwrap_err(), "damaged");
/// ```
pub fn is_contained() -> bool {
    DEPTH.get() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_become_errors_and_the_thread_is_as_before() {
        assert_eq!(contain(|| 7), Ok(7));
        let inner = || {
            assert!(is_contained());
            assert_eq!(contain(|| -> u8 { panic!("inner {}", 1) }), Err("inner 1".to_owned()));
            assert!(is_contained(), "still in the outer one");
            std::panic::panic_any(7_u8)
        };
        assert_eq!(contain::<u8>(inner), Err("the decoder gave up".to_owned()));
        assert!(!is_contained());
    }
}
