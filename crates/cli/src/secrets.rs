//! The secrets of a stack: what its tasks read of them, and how that stands beside what is stored. Names and json keys only: values are typed in
//! [`typed`] and go straight to AWS.

mod standing;
#[cfg(test)]
pub(crate) mod testing;
mod typed;
mod wanted;

pub(crate) use standing::{Lack, Standing};
pub(crate) use typed::{Source, read};
pub(crate) use wanted::{Meant, StackSecrets, WantedSecret};
