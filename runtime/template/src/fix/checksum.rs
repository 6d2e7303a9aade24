//! Fixers of checksums, which were several options once and are one now: `type:sum`, `file:url`.

use super::step::{Step, text};
use serde_json::Value;

pub(super) fn md5(builder: &mut Step) {
    let Some(sum) = text(builder, "iso_md5").map(Value::from) else { return };
    builder.remove("iso_md5");
    builder.insert("iso_checksum".into(), sum);
    // The two are joined by `type_and_url`, which runs later.
    builder.insert("iso_checksum_type".into(), "md5".into());
}

pub(super) fn type_and_url(builder: &mut Step) {
    let kind = builder.remove("iso_checksum_type");
    let url = builder.remove("iso_checksum_url");
    let filled = |value: &Option<Value>| {
        value.as_ref().and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let sum = builder.get("iso_checksum").cloned();
    let joined = match (filled(&url), filled(&kind), filled(&sum)) {
        (Some(url), ..) => format!("file:{url}"),
        (None, Some(kind), Some(sum)) => format!("{kind}:{sum}"),
        _ => return,
    };
    builder.insert("iso_checksum".into(), joined.into());
}
