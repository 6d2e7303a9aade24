//! `kiln explain CODE`: the page of an error code.

use crate::exit::Exit;
use crate::screen::Screen;
use kiln_plan::code;
use kiln_plan::{Code, nearest};

/// Prints the page, or all codes if none is named.
pub(crate) fn run(screen: &Screen, name: Option<&str>) -> Exit {
    let Some(name) = name else {
        let lines: Vec<String> = code::all().map(|code| format!("{code}: {}", code.summary())).collect();
        screen.say(lines.join("\n"));
        return Exit::Success;
    };
    // Without the area too: there is no second `syntax` to mean.
    let found = Code::find(name).or_else(|| code::all().find(|code| code.short() == name));
    match found {
        Some(code) => {
            screen.say(format!("{code}\n\n{}", code.page().trim_end()));
            Exit::Success
        }
        None => {
            let names: Vec<String> = code::all().map(|code| code.name().to_owned()).collect();
            let help = match nearest(name, names.iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`kiln explain` lists them".to_owned(),
            };
            screen.error(format!("Error: there is no error code `{name}`; {help}"));
            Exit::Failure
        }
    }
}
