//! The macros that turn an implementation of one of the traits into a component.
//!
//! Nothing is exported natively: symbols of the component model are no names for a native linker,
//! and unit tests need none.

/// `describe`, which all kinds have.
#[doc(hidden)]
#[macro_export]
macro_rules! __component_exports {
    ($trait:ident, $type:ty, $exported:ident) => {
        impl $crate::bindings::component::exports::kiln::component::component::Guest for $exported {
            fn describe() -> $crate::bindings::component::exports::kiln::component::component::Description {
                <$type as $crate::$trait>::describe().into()
            }
        }
        $crate::bindings::component::export_component_interface!($exported with_types_in $crate::bindings::component);
    };
}

/// `validate` of one kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __validate_export {
    ($trait:ident, $type:ty) => {
        fn validate(
            configuration: $crate::bindings::host::kiln::host::config::Configuration,
        ) -> ::std::vec::Vec<$crate::Diagnostic> {
            let options = $crate::Unchecked::new(&configuration.json());
            let mut findings = $crate::Findings::default();
            <$type as $crate::$trait>::validate(&options, &mut findings);
            findings.into_diagnostics()
        }
    };
}

/// Exports a type that implements [`Provisioner`](crate::Provisioner).
#[macro_export]
macro_rules! export_provisioner {
    ($type:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::host::kiln::host::config::Configuration;
            struct Exported;
            $crate::__component_exports!(Provisioner, $type, Exported);
            impl $crate::bindings::provisioner::exports::kiln::component::provisioner::Guest for Exported {
                $crate::__validate_export!(Provisioner, $type);
                fn provision(
                    context: $crate::Context,
                    configuration: Configuration,
                    session: ::std::option::Option<$crate::Session>,
                ) -> $crate::Result<()> {
                    let config = $crate::Config::read(configuration)?;
                    <$type as $crate::Provisioner>::provision(&context, &config, session.as_ref())
                }
            }
            $crate::bindings::provisioner::export_provisioner_interface!(Exported with_types_in $crate::bindings::provisioner);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Description = <$type as $crate::Provisioner>::describe;
    };
}

/// Exports a type that implements [`Builder`](crate::Builder).
#[macro_export]
macro_rules! export_builder {
    ($type:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::builder::exports::kiln::component::builder as contract;
            use $crate::bindings::host::kiln::host::config::Configuration;
            struct Exported;
            ::std::thread_local! {
                static BUILDER: ::std::cell::RefCell<$type> = ::std::default::Default::default();
            }
            $crate::__component_exports!(Builder, $type, Exported);
            impl contract::Guest for Exported {
                $crate::__validate_export!(Builder, $type);
                fn prepare(
                    context: $crate::Context,
                    configuration: Configuration,
                ) -> $crate::Result<contract::Prepared> {
                    let config = $crate::Config::read(configuration)?;
                    let prepared = BUILDER
                        .with_borrow_mut(|builder| $crate::Builder::prepare(builder, context, config))?;
                    Ok(contract::Prepared {
                        session: prepared.session,
                        values: ::std::string::ToString::to_string(&prepared.values),
                    })
                }
                fn finish() -> $crate::Result<::std::option::Option<$crate::Artifact>> {
                    BUILDER.with_borrow_mut($crate::Builder::finish)
                }
                fn cleanup(outcome: $crate::Outcome) -> $crate::Result<()> {
                    BUILDER.with_borrow_mut(|builder| $crate::Builder::cleanup(builder, outcome))
                }
            }
            $crate::bindings::builder::export_builder_interface!(Exported with_types_in $crate::bindings::builder);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Description = <$type as $crate::Builder>::describe;
    };
}

/// Exports a type that implements [`PostProcessor`](crate::PostProcessor).
#[macro_export]
macro_rules! export_post_processor {
    ($type:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::host::kiln::host::config::Configuration;
            use $crate::bindings::post_processor::exports::kiln::component::post_processor as contract;
            struct Exported;
            $crate::__component_exports!(PostProcessor, $type, Exported);
            impl contract::Guest for Exported {
                $crate::__validate_export!(PostProcessor, $type);
                fn process(
                    context: $crate::Context,
                    configuration: Configuration,
                    artifact: $crate::Artifact,
                ) -> $crate::Result<contract::Processed> {
                    let config = $crate::Config::read(configuration)?;
                    let done = <$type as $crate::PostProcessor>::process(&context, &config, artifact)?;
                    Ok(contract::Processed {
                        artifact: done.artifact,
                        keep_input: done.keep_input,
                        must_keep: done.must_keep,
                    })
                }
            }
            $crate::bindings::post_processor::export_post_processor_interface!(Exported with_types_in $crate::bindings::post_processor);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Description = <$type as $crate::PostProcessor>::describe;
    };
}

/// Exports a type that implements [`DataSource`](crate::DataSource).
#[macro_export]
macro_rules! export_data_source {
    ($type:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::data_source::exports::kiln::component::data_source as contract;
            use $crate::bindings::host::kiln::host::config::Configuration;
            struct Exported;
            $crate::__component_exports!(DataSource, $type, Exported);
            impl contract::Guest for Exported {
                $crate::__validate_export!(DataSource, $type);
                fn read(
                    context: $crate::Context,
                    configuration: Configuration,
                ) -> $crate::Result<::std::string::String> {
                    let config = $crate::Config::read(configuration)?;
                    let values = <$type as $crate::DataSource>::read(&context, &config)?;
                    Ok($crate::serde_json::to_string(&values)?)
                }
            }
            $crate::bindings::data_source::export_data_source_interface!(Exported with_types_in $crate::bindings::data_source);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Description = <$type as $crate::DataSource>::describe;
    };
}
