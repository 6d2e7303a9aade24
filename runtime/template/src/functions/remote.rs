//! Functions that ask a server for a secret. The environment asks, by the user's own settings of the
//! server, and only where data sources may be run too: elsewhere the secret is not known.

use super::Shape::Text;
use super::{Call, Failure, Function, Purity};
use crate::SecretQuery;
use crate::value::Val;
use crate::value::types::Type;
use kiln_plan::{Marks, Origin};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("aws_secretsmanager", (2, 2), &[Text], Type::Text, |c| {
        let key = if c.get(1)?.is_null() { None } else { Some(c.text(1)?.to_string()) };
        ask(c, SecretQuery::Aws { name: name(c, 0)?, key })
    })
    .purity(Purity::Network)
    .nulls(),
    Function::new("aws_secretsmanager_raw", (1, 1), &[Text], Type::Text, |c| {
        ask(c, SecretQuery::AwsRaw { name: name(c, 0)? })
    })
    .purity(Purity::Network),
    Function::new("consul_key", (1, 1), &[Text], Type::Text, |c| {
        ask(c, SecretQuery::Consul { key: name(c, 0)? })
    })
    .purity(Purity::Network),
    Function::new("vault", (2, 2), &[Text], Type::Text, |c| {
        ask(c, SecretQuery::Vault { path: name(c, 0)?, key: c.text(1)?.to_string() })
    })
    .purity(Purity::Network),
];

/// What is asked for.
fn name(c: &Call<'_, '_>, at: usize) -> Result<String, Failure> {
    if c.get(at)?.is_null() {
        return Err(super::wrong(at, "the argument must not be null"));
    }
    if c.get(at)?.deep_marks().origin == Origin::Component {
        return Err(super::wrong(at, "a component cannot say which secret is asked for"));
    }
    let text = c.text(at)?;
    if text.is_empty() || text.len() > 1024 || text.chars().any(char::is_control) {
        return Err(super::wrong(at, "this cannot be the name of a secret"));
    }
    Ok(text.to_string())
}

fn ask(c: &Call<'_, '_>, query: SecretQuery) -> Result<Val, Failure> {
    let world = c.context.world;
    let value = if world.asks_servers {
        Val::text(world.environment.secret(&query)?)
    } else {
        Val::unknown(Type::Text)
    };
    Ok(value.marked(Marks { sensitive: true, origin: Origin::Environment }))
}
