//go:build tamago

package x509

// Where distributions keep their certificates, in the root that is mounted.
var (
	certFiles = []string{
		"/etc/ssl/certs/ca-certificates.crt", // Debian, Arch, Gentoo
		"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
		"/etc/ssl/ca-bundle.pem",             // openSUSE
		"/etc/ssl/cert.pem",                  // Alpine
	}
	certDirectories = []string{
		"/etc/ssl/certs",
		"/etc/pki/tls/certs",
	}
)
