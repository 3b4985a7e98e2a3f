//! The errors of A2A, as JSON-RPC carries them: a code, a sentence, and an array that says more.

use ::a2a::{A2AError, FieldViolation, TypedDetail};

use crate::error::chain;
use crate::store::StoreError;

/// A field of the parameters is wrong.
pub(super) fn bad_field(field: impl Into<String>, description: impl Into<String>) -> A2AError {
    let violation = FieldViolation {
        field: field.into(),
        description: description.into(),
    };
    let message = format!("{}: {}", violation.field, violation.description);
    A2AError::invalid_params(message).with_details(vec![TypedDetail::bad_request(vec![violation])])
}

impl From<StoreError> for A2AError {
    fn from(error: StoreError) -> A2AError {
        A2AError::internal(format!("{}; ask again", chain(&error)))
    }
}
