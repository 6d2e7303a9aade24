//! Shared by the four contract guests: how they describe themselves.

use crate::exports::kiln::component::component::{Description, Guest};

/// The host's option groups are included so that a test can have them; another test takes them
/// away by writing over the word `x-kiln-include` in the component's bytes.
const SCHEMA: &str = r#"{"x-kiln-include":["communicator@1","machine@1","boot-command@1","media@1","http@1","shutdown@1"],
"properties":{
    "call": {"type":"string"},
    "pointer": {"type":"string"},
    "url": {"type":"string"},
    "remote": {"type":"string"},
    "output-from": {"type":"string"},
    "text": {"type":"string"},
    "host": {"type":"string"},
    "port": {"type":"string"},
    "header": {"type":"string"},
    "length": {"type":"string"},
    "backwards": {"type":"string"},
    "body": {"type":"array","items":{"type":"string"}},
    "checksum": {"type":"string"},
    "secret": {"type":"string","x-kiln-sensitive":true},
    "fetch": {"type":"string","x-kiln-designates":"url"},
    "list": {"type":"string","x-kiln-designates":"checksum"},
    "file": {"type":"string","x-kiln-designates":"file"},
    "output": {"type":"string","x-kiln-designates":"output"},
    "source": {"type":"string","x-kiln-designates":"source"}
}}"#;

impl Guest for crate::Contract {
    fn describe() -> Description {
        Description {
            name: "contract".into(),
            version: "0.1.0".into(),
            summary: "calls one function of the contract".into(),
            config_schema: SCHEMA.into(),
            output_schema: "{}".into(),
            wanted_grants: vec![],
        }
    }
}
