//! stub
pub(crate) mod sftp {
    pub(crate) struct Client;
}
#[derive(Clone, Copy)]
pub(crate) struct Tools;
