//! Whom to trust: the roots of the web, and what `--ca-file` adds.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Settings for both sides' connections. An error says what is wrong with the file.
pub fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = ca_file {
        let failed =
            |error: &dyn std::fmt::Display| format!("cannot read the certificates in {}: {error}", path.display());
        let mut found = 0;
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))? {
            roots.add(certificate.map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
            found += 1;
        }
        if found == 0 {
            return Err(failed(&"there are none"));
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder =
        builder.with_safe_default_protocol_versions().map_err(|error| format!("TLS cannot be set up: {error}"))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
