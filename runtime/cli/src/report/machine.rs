//! `-machine-readable`: Packer's rows, `unix_time,target,type,data…`.
//!
//! Rows come from here alone. A guest that prints something like a row gets it as the text of a
//! `ui` row, with its commas escaped.

use super::lines::{Item, Row, Script, Tone};
use super::{Out, Reporter, write_line};
use kiln_plan::Event;
use std::time::{SystemTime, UNIX_EPOCH};

/// Packer's rows, on a stream.
pub(crate) struct Machine {
    out: Out,
    script: Script,
}

impl Machine {
    /// Rows to `out`.
    pub(crate) fn new(out: Out) -> Self {
        Self { out, script: Script::default() }
    }

    /// A row outside a run (`version`, `inspect`).
    pub(crate) fn row(out: &mut Out, target: &str, kind: &str, data: &[&str]) {
        write_line(out, &format_row(SystemTime::now(), target, kind, data.iter().copied()));
    }
}

impl Reporter for Machine {
    fn event(&mut self, event: &Event) {
        for item in self.script.items(event) {
            let line = match &item {
                Item::Text { tone, text, .. } => {
                    let kind = if *tone == Tone::Error { "error" } else { "say" };
                    format_row(event.time, "", "ui", [kind, text.as_str()].into_iter())
                }
                Item::Row(Row { target, kind, data }) => {
                    format_row(event.time, target, kind, data.iter().map(String::as_str))
                }
            };
            write_line(&mut self.out, &line);
        }
    }
}

fn format_row<'a>(time: SystemTime, target: &str, kind: &str, data: impl Iterator<Item = &'a str>) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    let mut line = format!("{seconds},{target},{kind}");
    for text in data {
        line.push(',');
        line.push_str(&text.replace(',', "%!(PACKER_COMMA)").replace('\n', "\\n").replace('\r', "\\r"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{Buffer, run};

    #[test]
    fn a_run_in_rows() {
        let buffer = Buffer::default();
        let mut machine = Machine::new(Box::new(buffer.clone()));
        run().iter().for_each(|event| machine.event(event));
        let expected = "\
1700000000,,ui,say,==> file.y: Running local shell script
1700000000,,ui,say,==> file.y: one%!(PACKER_COMMA) two
1700000000,,ui,error,==> file.y: err
1700000000,,ui,say,==> file.y: Running post-processor:  (type shell-local)
1700000000,,ui,say,==> file.y (shell-local): a\\n==> file.y (shell-local): b
1700000000,,ui,say,Build 'file.y' finished after 5 seconds 3 milliseconds.
1700000000,,ui,error,Build 'null.x' errored after 17 milliseconds: script exited%!(PACKER_COMMA) 3
1700000000,,ui,say,\\n==> Wait completed after 5 seconds
1700000000,,error-count,1
1700000000,,ui,error,\\n==> Some builds didn't complete successfully and had errors:
1700000000,null.x,error,script exited%!(PACKER_COMMA) 3
1700000000,,ui,error,--> null.x: script exited%!(PACKER_COMMA) 3
1700000000,,ui,say,\\n==> Builds finished. The artifacts of successful builds are:
1700000000,file.y,artifact-count,1
1700000000,file.y,artifact,0,builder-id,packer.file
1700000000,file.y,artifact,0,id,File
1700000000,file.y,artifact,0,string,Stored file: out.txt
1700000000,file.y,artifact,0,files-count,1
1700000000,file.y,artifact,0,file,0,out.txt
1700000000,file.y,artifact,0,end
1700000000,,ui,say,--> file.y: Stored file: out.txt
";
        assert_eq!(buffer.text(), expected);
    }
}
