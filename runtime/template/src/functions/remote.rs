//! Functions that ask a server. They need a grant that cannot be given yet.

use super::Shape::Text;
use super::{Failure, Function, MANY, Purity};
use crate::value::Val;
use crate::value::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("aws_secretsmanager", (1, 2), &[Text], Type::Text, |_| refuse())
        .purity(Purity::Network)
        .nulls(),
    Function::new("aws_secretsmanager_raw", (1, 1), &[Text], Type::Text, |_| refuse())
        .purity(Purity::Network),
    Function::new("consul_key", (1, 1), &[Text], Type::Text, |_| refuse()).purity(Purity::Network),
    Function::new("vault", (2, MANY), &[Text], Type::Text, |_| refuse()).purity(Purity::Network),
];

fn refuse() -> Result<Val, Failure> {
    Err("it asks a server, and the grant for that is not available yet; give the value as a variable".into())
}
