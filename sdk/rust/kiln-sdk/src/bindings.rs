//! What wit-bindgen makes of `wit/`: the host's interfaces once, and each exported interface on top
//! of the same types, so that one `Error` is every interface's `Error`.
//!
//! The worlds of `wit/worlds.wit` all export `component`, and wit-bindgen makes one macro a crate
//! for each exported interface; so here each interface is a world of its own, and the linker joins
//! `component` with the interface of the kind.

/// Generates the export of one interface over the imports of [`host`].
macro_rules! exports {
    ($module:ident, $world:literal, $inline:literal, $macro:literal, $path:literal) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "../../../wit",
                inline: $inline,
                world: $world,
                pub_export_macro: true,
                export_macro_name: $macro,
                default_bindings_module: $path,
                with: {
                    "kiln:host/types@0.1.0": crate::bindings::host::kiln::host::types,
                    "kiln:host/files@0.1.0": crate::bindings::host::kiln::host::files,
                    "kiln:host/config@0.1.0": crate::bindings::host::kiln::host::config,
                    "kiln:host/ui@0.1.0": crate::bindings::host::kiln::host::ui,
                    "kiln:host/secrets@0.1.0": crate::bindings::host::kiln::host::secrets,
                    "kiln:host/sessions@0.1.0": crate::bindings::host::kiln::host::sessions,
                    "kiln:host/hypervisor@0.1.0": crate::bindings::host::kiln::host::hypervisor,
                    "kiln:host/machines@0.1.0": crate::bindings::host::kiln::host::machines,
                    "kiln:host/downloads@0.1.0": crate::bindings::host::kiln::host::downloads,
                    "kiln:host/transfers@0.1.0": crate::bindings::host::kiln::host::transfers,
                    "kiln:host/artifacts@0.1.0": crate::bindings::host::kiln::host::artifacts,
                    "kiln:host/exec@0.1.0": crate::bindings::host::kiln::host::exec,
                    "kiln:host/session-proxy@0.1.0": crate::bindings::host::kiln::host::session_proxy,
                    "kiln:host/render@0.1.0": crate::bindings::host::kiln::host::render,
                    "kiln:host/journal@0.1.0": crate::bindings::host::kiln::host::journal,
                },
            });
        }
    };
}

/// The host's interfaces.
pub mod host {
    wit_bindgen::generate!({ path: "../../../wit", world: "host", generate_all });
}

exports!(
    component,
    "kiln:sdk/exports-component",
    "package kiln:sdk; world exports-component { include kiln:component/host@0.1.0; export kiln:component/component@0.1.0; }",
    "export_component_interface",
    "kiln_sdk::bindings::component"
);
exports!(
    builder,
    "kiln:sdk/exports-builder",
    "package kiln:sdk; world exports-builder { include kiln:component/host@0.1.0; export kiln:component/builder@0.1.0; }",
    "export_builder_interface",
    "kiln_sdk::bindings::builder"
);
exports!(
    provisioner,
    "kiln:sdk/exports-provisioner",
    "package kiln:sdk; world exports-provisioner { include kiln:component/host@0.1.0; export kiln:component/provisioner@0.1.0; }",
    "export_provisioner_interface",
    "kiln_sdk::bindings::provisioner"
);
exports!(
    post_processor,
    "kiln:sdk/exports-post-processor",
    "package kiln:sdk; world exports-post-processor { include kiln:component/host@0.1.0; export kiln:component/post-processor@0.1.0; }",
    "export_post_processor_interface",
    "kiln_sdk::bindings::post_processor"
);
exports!(
    data_source,
    "kiln:sdk/exports-data-source",
    "package kiln:sdk; world exports-data-source { include kiln:component/host@0.1.0; export kiln:component/data-source@0.1.0; }",
    "export_data_source_interface",
    "kiln_sdk::bindings::data_source"
);
