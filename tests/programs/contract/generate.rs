//! Build script of the four contract guests: writes a function that calls every import of `wit/`
//! with arguments made from its types. Nothing here names a function of the contract; what is
//! particular to some parameter is in [`hint`].

use heck::{ToSnakeCase, ToUpperCamelCase};
use std::fmt::Write as _;
use wit_parser::{
    Function, FunctionKind, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner,
};

/// Handles that `calls.rs` obtains by hand: those that come with the export, and those that need
/// more than one call.
const BY_HAND: &[&str] = &["configuration", "context", "session", "artifact", "directory", "output"];

fn main() {
    let wit = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../wit");
    println!("cargo::rerun-if-changed={}", wit.display());
    println!("cargo::rerun-if-changed=../generate.rs");
    let mut resolve = Resolve::default();
    resolve.push_dir(&wit).expect("wit/ can be read");
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap()).join("functions.rs");
    std::fs::write(out, Contract { resolve: &resolve }.rust()).unwrap();
}

struct Contract<'a> {
    resolve: &'a Resolve,
}

impl Contract<'_> {
    fn rust(&self) -> String {
        let mut arms = String::new();
        let mut functions = Vec::new();
        for (id, interface) in &self.resolve.interfaces {
            let package = &self.resolve.packages[interface.package.unwrap()].name;
            if (package.namespace.as_str(), package.name.as_str()) == ("kiln", "host") {
                functions.extend(interface.functions.values().map(|function| (id, function)));
            }
        }
        for (interface, function) in &functions {
            let name = self.name(*interface, function);
            let call = self.call(*interface, function);
            // A list or an option without content is told apart: nothing was reached.
            let empty = match function.result.as_ref().and_then(|ty| self.payload(ty)) {
                Some(ty) if self.is_option(ty) => "Option::is_none",
                Some(ty) if self.is_list(ty) => "|got| got.is_empty()",
                _ => "|_| false",
            };
            let told = if self.fallible(function) {
                format!("Ok(told(&got, {empty}))")
            } else {
                "{ let _ = got; Ok(\"ok\".to_owned()) }".to_owned()
            };
            writeln!(arms, "        {name:?} => {{ let got = {call}; {told} }}").unwrap();
        }
        let mut text = format!(
            "/// Calls one function of the contract.\n#[allow(clippy::all, reason = \"generated\")]\npub(crate) fn call(name: &str) -> Result<String, Refusal> {{\n    \
             match name {{\n{arms}        other => Ok(format!(\"no function {{other}}\")),\n    }}\n}}\n"
        );
        for (id, ty) in &self.resolve.types {
            let own = ty.name.as_deref().is_some_and(|name| BY_HAND.contains(&name));
            let host = matches!(ty.owner, TypeOwner::Interface(_));
            if matches!(ty.kind, TypeDefKind::Resource) && host && !own {
                self.getter(id, &functions, &mut text);
            }
        }
        text
    }

    /// A function that obtains a handle as a guest can: by its constructor, or by the function
    /// that gives one and needs the fewest other handles.
    fn getter(&self, id: TypeId, functions: &[(InterfaceId, &Function)], text: &mut String) {
        let mut makers: Vec<_> = functions.iter().filter(|(_, f)| self.gives(f, id)).collect();
        makers.sort_by_key(|(_, f)| {
            let handles = f.params.iter().filter(|p| self.handle(&p.ty).is_some()).count();
            let own = f.params.iter().any(|p| self.handle(&p.ty) == Some(id));
            (!matches!(f.kind, FunctionKind::Constructor(_)), own, handles)
        });
        let path = self.path(id);
        let head = format!(
            "#[allow(unused, clippy::all, reason = \"generated\")]\nfn {}() -> Result<{path}, Refusal>",
            self.getter_name(id)
        );
        let Some((interface, maker)) = makers.first() else {
            // A handle that nothing gives, such as a lock that only a record holds.
            writeln!(text, "{head} {{ Err(Refusal::nothing({path:?})) }}").unwrap();
            return;
        };
        let (name, call) = (self.name(*interface, maker), self.call(*interface, maker));
        let result = maker.result.as_ref().unwrap();
        let optional = self.payload(result).is_some_and(|ok| self.is_option(ok)) || self.is_option(result);
        let got = if self.fallible(maker) { format!("needed({name:?}, {call})?") } else { call };
        let got = if optional { format!("some({name:?}, {got})?") } else { got };
        writeln!(text, "{head} {{ Ok({got}) }}").unwrap();
    }

    /// The name in the component model: `files.[method]file.read`.
    fn name(&self, interface: InterfaceId, function: &Function) -> String {
        format!("{}.{}", self.resolve.interfaces[interface].name.as_deref().unwrap(), function.name)
    }

    /// The call in Rust, with arguments.
    fn call(&self, interface: InterfaceId, function: &Function) -> String {
        let mut args: Vec<String> = function.params.iter().map(|p| self.argument(&p.name, &p.ty)).collect();
        let item = function.item_name().to_snake_case();
        let module = self.module(interface);
        match function.kind {
            FunctionKind::Constructor(id) => format!("{}::new({})", self.path(id), args.join(", ")),
            FunctionKind::Static(id) => format!("{}::{item}({})", self.path(id), args.join(", ")),
            FunctionKind::Method(id) => {
                args.remove(0);
                format!("{}()?.{item}({})", self.getter_name(id), args.join(", "))
            }
            _ => format!("{module}::{item}({})", args.join(", ")),
        }
    }

    /// An argument as the bindings take it: text, lists and what holds them by reference.
    fn argument(&self, name: &str, ty: &Type) -> String {
        if let Some(hint) = hint(name, ty) {
            return hint.to_owned();
        }
        let Type::Id(id) = ty else { return plain(ty) };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Type(ty) => self.argument(name, ty),
            TypeDefKind::Handle(Handle::Borrow(id)) => {
                let shared = self.resolve.types[self.origin(*id)].name.as_deref() == Some("configuration");
                format!("&{}{}()?", if shared { "*" } else { "" }, self.getter_name(*id))
            }
            TypeDefKind::List(_) => "&[]".to_owned(),
            TypeDefKind::Record(_) | TypeDefKind::Variant(_) => format!("&{}", self.owned(name, ty)),
            _ => self.owned(name, ty),
        }
    }

    /// A value as it is held in a record.
    fn owned(&self, name: &str, ty: &Type) -> String {
        let Type::Id(id) = ty else {
            return match ty {
                Type::String => format!("({}).to_owned()", hint(name, ty).unwrap_or("\"x\"")),
                _ => hint(name, ty).map_or_else(|| plain(ty), str::to_owned),
            };
        };
        let path = || self.path(self.origin(*id));
        match &self.resolve.types[self.origin(*id)].kind {
            TypeDefKind::Option(_) => "None".to_owned(),
            TypeDefKind::List(_) => "Vec::new()".to_owned(),
            TypeDefKind::Resource => format!("{}()?", self.getter_name(self.origin(*id))),
            TypeDefKind::Handle(Handle::Own(id)) => format!("{}()?", self.getter_name(*id)),
            TypeDefKind::Enum(cases) => format!("{}::{}", path(), cases.cases[0].name.to_upper_camel_case()),
            TypeDefKind::Variant(cases) => {
                let case = cases.cases.iter().find(|case| case.ty.is_none()).expect("a case without payload");
                format!("{}::{}", path(), case.name.to_upper_camel_case())
            }
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| {
                    format!("{}: {}", field.name.to_snake_case(), self.owned(&field.name, &field.ty))
                });
                format!("{} {{ {} }}", path(), fields.collect::<Vec<_>>().join(", "))
            }
            other => panic!("an argument of the kind {} is new here", other.as_str()),
        }
    }

    fn gives(&self, function: &Function, id: TypeId) -> bool {
        if let FunctionKind::Constructor(own) = function.kind {
            return self.origin(own) == id;
        }
        let Some(result) = &function.result else { return false };
        let inner = self.payload(result).unwrap_or(result);
        self.handle(self.optional(inner).unwrap_or(inner)) == Some(id)
    }

    /// The resource that an argument or a result is a handle to.
    fn handle(&self, ty: &Type) -> Option<TypeId> {
        let Type::Id(id) = ty else { return None };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => Some(self.origin(*id)),
            TypeDefKind::Type(ty) => self.handle(ty),
            _ => None,
        }
    }

    fn fallible(&self, function: &Function) -> bool {
        function.result.as_ref().is_some_and(|ty| self.is_result(ty))
    }

    fn is_result(&self, ty: &Type) -> bool {
        matches!(ty, Type::Id(id) if matches!(self.resolve.types[*id].kind, TypeDefKind::Result(_)))
    }

    fn payload<'b>(&'b self, ty: &'b Type) -> Option<&'b Type> {
        let Type::Id(id) = ty else { return None };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Result(result) => result.ok.as_ref(),
            _ => None,
        }
    }

    fn optional<'b>(&'b self, ty: &'b Type) -> Option<&'b Type> {
        let Type::Id(id) = ty else { return None };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Option(inner) => Some(inner),
            _ => None,
        }
    }

    fn is_option(&self, ty: &Type) -> bool {
        self.optional(ty).is_some()
    }

    fn is_list(&self, ty: &Type) -> bool {
        matches!(ty, Type::Id(id) if matches!(self.resolve.types[*id].kind, TypeDefKind::List(_)))
    }

    /// Where a type that is `use`d was defined.
    fn origin(&self, id: TypeId) -> TypeId {
        match &self.resolve.types[id].kind {
            TypeDefKind::Type(Type::Id(id)) => self.origin(*id),
            _ => id,
        }
    }

    fn module(&self, interface: InterfaceId) -> String {
        format!("host::{}", self.resolve.interfaces[interface].name.as_deref().unwrap().to_snake_case())
    }

    fn path(&self, id: TypeId) -> String {
        let ty = &self.resolve.types[id];
        let TypeOwner::Interface(interface) = ty.owner else { panic!("a type without an interface") };
        format!("{}::{}", self.module(interface), ty.name.as_deref().unwrap().to_upper_camel_case())
    }

    fn getter_name(&self, id: TypeId) -> String {
        let id = self.origin(id);
        let ty = &self.resolve.types[id];
        let TypeOwner::Interface(interface) = ty.owner else { panic!("a type without an interface") };
        let interface = self.resolve.interfaces[interface].name.as_deref().unwrap();
        format!("get_{}_{}", interface, ty.name.as_deref().unwrap()).to_snake_case()
    }
}

/// What parameters of certain names want, to get past the checks of arguments.
fn hint(name: &str, ty: &Type) -> Option<&'static str> {
    if *ty == Type::U32 && name == "mode" {
        return Some("0o600");
    }
    if *ty != Type::String {
        return None;
    }
    Some(match name {
        "pointer" => "&setting(\"pointer\")",
        "url" => "&setting(\"url\")",
        "remote" => "&setting(\"remote\")",
        "program" | "line" => "\"true\"",
        "late" | "values" | "data" | "arguments" | "value" => "\"{}\"",
        "size" => "\"1M\"",
        // What is sealed is redacted from then on: no word that messages have.
        "text" => "\"a-text-of-the-contract\"",
        "host" => "\"127.0.0.1\"",
        "checksum" => "\"none\"",
        "command" => "\"query-status\"",
        "method" => "\"GET\"",
        _ => return None,
    })
}

/// Numbers are 8: a short time, a small size, the least length of a random secret.
fn plain(ty: &Type) -> String {
    match ty {
        Type::Bool => "false",
        Type::String => "\"x\"",
        Type::F32 | Type::F64 => "8.0",
        Type::Char => "'x'",
        _ => "8",
    }
    .to_owned()
}
