//! What is found before anything starts: everything that the options name and that must be there.

use super::*;
use kiln_plan::code;

/// What the options name, checked before anything starts.
pub(crate) fn check(build: &BuildInner, configuration: &StepConfiguration, creates: bool) -> Diagnostics {
    let mut found = Diagnostics::new();
    if let Some(map) = configuration.value.as_map() {
        check_fields(build, configuration, &configuration.schema.fields, map, "", creates, &mut found);
    }
    found
}

fn check_fields(
    build: &BuildInner,
    configuration: &StepConfiguration,
    fields: &BTreeMap<String, Field>,
    map: &BTreeMap<String, Value>,
    pointer: &str,
    creates: bool,
    found: &mut Diagnostics,
) {
    for (name, value) in map {
        let here = pointer_push(pointer, name);
        let Some(field) = fields.get(name) else { continue };
        if let (FieldType::Object(fields), Data::Map(map)) = (&field.ty, &value.data) {
            check_fields(build, configuration, fields, map, &here, creates, found);
            continue;
        }
        let mut texts = Vec::new();
        texts_below(value, &here, &mut texts);
        for pointer in texts.iter().take(MAX_ENTRIES) {
            found.extend(check_one(build, configuration, pointer, creates));
        }
    }
}

fn check_one(
    build: &BuildInner,
    configuration: &StepConfiguration,
    pointer: &str,
    creates: bool,
) -> Option<Diagnostic> {
    let direction = direction(configuration, pointer)?;
    if !is_active(configuration, pointer, direction) || is_made_later(configuration, pointer, direction) {
        return None;
    }
    let value = configuration.value.at(pointer)?;
    // This one late value is known from the start, and the default of an output names it.
    let text = value.as_text()?.replace("{{ .BuildName }}", &build.source_name);
    let text = text.as_str();
    let (name, is_late) = (name_of(pointer), text.contains("{{"));
    if is_late || value.marks.origin == Origin::Component {
        return None;
    }
    if let Err(error) = find(configuration, pointer) {
        // A default that leads out is refused when it is used: the user wrote nothing wrong.
        if configuration.is_default(pointer) {
            return None;
        }
        return Some(configuration.diagnostic(code::host::DESIGNATION, pointer, error.message()));
    }
    let path = resolve(build, text);
    let meta = path.metadata();
    let problem = match direction.designation {
        Designation::Output if creates && meta.is_ok() && !build.force() => {
            let found = configuration.diagnostic(
                code::host::OUTPUT_EXISTS,
                pointer,
                format!("`{text}` exists already"),
            );
            return Some(found.help("remove it, choose another name, or use -force"));
        }
        Designation::File
        | Designation::KeyFile
        | Designation::Directory
        | Designation::FileOrDirectory
        | Designation::Glob
        | Designation::Source
            if !direction.must_exist =>
        {
            return None;
        }
        Designation::Source if has_scheme(text) => return None,
        Designation::Glob if text.contains(['*', '?', '[']) => {
            return glob::Pattern::new(&path.to_string_lossy()).err().map(|e| {
                configuration.diagnostic(
                    code::host::DESIGNATION,
                    pointer,
                    format!("`{name}` is not a pattern: {e}"),
                )
            });
        }
        Designation::File | Designation::KeyFile | Designation::Source => match meta {
            Ok(meta) if meta.is_dir() => format!("`{text}` is a directory, and `{name}` wants a file"),
            Ok(_) => return None,
            Err(error) => format!("cannot read `{text}`: {error}"),
        },
        Designation::Directory => match meta {
            Ok(meta) if meta.is_dir() => return None,
            Ok(_) => format!("`{text}` is not a directory, and `{name}` wants one"),
            Err(error) => format!("cannot read `{text}`: {error}"),
        },
        Designation::FileOrDirectory | Designation::Glob => match meta {
            Ok(_) => return None,
            Err(error) => format!("cannot read `{text}`: {error}"),
        },
        _ => return None,
    };
    Some(configuration.diagnostic(code::host::DESIGNATION, pointer, problem))
}
