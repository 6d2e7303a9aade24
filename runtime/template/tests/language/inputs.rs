//! What a fixture is run with besides its text: the first line of it that contains `kiln-test:`
//! says so, in words as on a command line. In JSON that line is the value of a `"//"`.

use super::world::World;
use kiln_plan::{BuildValues, Data, Diagnostic, Value};
use kiln_template::{DataRequest, Filters, ReadData, Undeclared, VariableInputs};
use std::path::Path;

/// How a fixture is run.
#[derive(Default)]
pub(crate) struct Inputs {
    /// `-var`, `-var-file` (relative to the folder of the fixture) and `-warn-undeclared`.
    pub(crate) variables: VariableInputs,
    /// `-only` and `-except`.
    pub(crate) filters: Filters,
    /// `-env NAME=VALUE`.
    pub(crate) environment: Vec<(String, String)>,
    /// `-inspect`: what `inspect` shows is expected, not the plan.
    pub(crate) inspect: bool,
    /// `-data`: data sources are read.
    pub(crate) data: bool,
    /// `-use-sequential-evaluation`.
    pub(crate) sequential: bool,
    /// `-late NAME=VALUE`: a value of `build` that is known in the second evaluation, which is
    /// expected too.
    pub(crate) late: Option<BuildValues>,
}

const MARK: &str = "kiln-test:";

impl Inputs {
    /// Those that the fixture at `path`, a file or a folder, asks for.
    pub(crate) fn of(path: &Path) -> Self {
        let mut files = vec![path.to_path_buf()];
        if path.is_dir() {
            let entries = std::fs::read_dir(path).expect("the fixture is there");
            files = entries.map(|entry| entry.expect("an entry").path()).collect();
            files.sort();
        }
        let mut inputs = Self::default();
        for file in files.iter().filter(|file| file.is_file()) {
            let text = String::from_utf8_lossy(&std::fs::read(file).expect("it can be read")).into_owned();
            let Some(line) = text.lines().find_map(|line| line.split_once(MARK)) else { continue };
            inputs.read(&words(line.1.trim_end_matches([',', '"', '{', ' '])));
            break;
        }
        inputs
    }

    /// Those of a line of words.
    pub(crate) fn parse(line: &str) -> Self {
        let mut inputs = Self::default();
        inputs.read(&words(line));
        inputs
    }

    fn read(&mut self, words: &[String]) {
        let mut words = words.iter();
        let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        while let Some(word) = words.next() {
            let mut next = || words.next().expect("the flag has a value").clone();
            let pair = |text: String| {
                let (name, value) = text.split_once('=').expect("NAME=VALUE");
                (name.to_owned(), value.to_owned())
            };
            match word.split_once('=').unwrap_or((word.as_str(), "")) {
                ("-only", value) => self.filters.only = list(value),
                ("-except", value) => self.filters.except = list(value),
                ("-var", _) => self.variables.assignments.push(pair(next())),
                ("-var-file", _) => self.variables.files.push(next().into()),
                ("-env", _) => self.environment.push(pair(next())),
                ("-warn-undeclared", _) => self.variables.undeclared = Undeclared::Warn,
                ("-inspect", _) => self.inspect = true,
                ("-data", _) => self.data = true,
                ("-use-sequential-evaluation", _) => self.sequential = true,
                ("-late", _) => {
                    let (name, value) = pair(next());
                    let late = self.late.get_or_insert_default();
                    late.build.insert(name, Value::text(value));
                }
                (other, _) => panic!("`{other}` is not a word of {MARK}"),
            }
        }
    }

    /// The environment below `root` in which the fixture is read.
    pub(crate) fn world(&self, root: &Path) -> World {
        let mut world = World::new(root);
        world.variables.insert("PKR_VAR_from_environment".into(), "env".into());
        world.variables.extend(self.environment.iter().cloned());
        world
    }
}

/// Words separated by blanks; what is in single quotes is one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut begun) = (String::new(), false, false);
    for c in line.chars() {
        match c {
            '\'' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            _ => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// Data sources that answer at once: `http` with a body that names the URL, `null` with its input.
pub(crate) struct Answers;

impl ReadData for Answers {
    fn read(&self, requests: Vec<DataRequest>) -> Vec<Result<Value, Box<Diagnostic>>> {
        requests.into_iter().map(Self::answer).collect()
    }
}

impl Answers {
    fn answer(request: DataRequest) -> Result<Value, Box<Diagnostic>> {
        let DataRequest { component, label, configuration } = request;
        let get = |at: &str| configuration.value.at(at).and_then(Value::as_text).unwrap_or_default();
        let (name, text) = match component.name.as_str() {
            "http" if get("/url").starts_with("bad:") => {
                return Err(Box::new(Diagnostic::error(
                    kiln_plan::code::component::DATA,
                    format!("{label}: nobody answers"),
                )));
            }
            "http" => ("body", format!("body of {}", get("/url"))),
            _ => ("output", get("/input").to_owned()),
        };
        Ok(Data::Map([(name.to_owned(), Value::text(text))].into()).into())
    }
}
