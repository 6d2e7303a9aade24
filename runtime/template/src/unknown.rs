//! What is told of a component that is not there.

use crate::declared::RequiredPlugin;
use crate::environment::Catalogue;
use crate::syntax::Block;
use kiln_plan::code::template as code;
use kiln_plan::{ComponentRef, Diagnostic, nearest};

/// There is no such component, but these; the caller adds the place.
pub(crate) fn component(component: &ComponentRef, catalogue: &dyn Catalogue) -> Diagnostic {
    let (names, absent) = (catalogue.names(component.kind), catalogue.absent_names(component.kind));
    let mut diagnostic = Diagnostic::error(code::UNKNOWN_COMPONENT, format!("there is no {component}"));
    let near = nearest(&component.name, names.iter().chain(&absent));
    if !names.is_empty() {
        let more = if near.is_some() || absent.is_empty() { "" } else { MORE };
        diagnostic.detail = format!("there are {}{more}", names.join(", "));
    }
    diagnostic.help = near.map(|near| format!("did you mean `{near}`?"));
    diagnostic
}

/// There are too many of them to name them all.
const MORE: &str = "; the reference lists those that can be checked and not run yet, in components/absent.md";

/// The same of one that a block names, in a template that requires `plugins`.
pub(crate) fn in_block(
    component: &ComponentRef,
    block: &Block,
    catalogue: &dyn Catalogue,
    plugins: &[RequiredPlugin],
) -> Diagnostic {
    let span = block.labels.first().map_or(block.header, |(_, span)| *span);
    let mut diagnostic = self::component(component, catalogue).at(span).within(block.context());
    diagnostic.help.get_or_insert_with(|| match plugins.iter().find(|plugin| plugin.has(&component.name)) {
        Some(plugin) => format!(
            "kiln runs no plugins of Packer and has nothing for this one of `{}`; a .wasm file can be added: \
             kiln plugins install -path FILE NAME",
            plugin.source
        ),
        None => "if it is of a plugin, add it to required_plugins and run `kiln init`".to_owned(),
    });
    diagnostic
}
