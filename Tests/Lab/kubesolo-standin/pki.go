package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	leafLifetime = 365 * 24 * time.Hour
	caLifetime   = 10 * leafLifetime
)

// pair is a certificate with its key.
type pair struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// credentials are what the API server needs to know itself and its clients.
type credentials struct {
	authority *x509.Certificate
	server    tls.Certificate
	token     string
}

// prepareCredentials reads what lies below path/pki and makes what is missing or no longer fits.
func prepareCredentials(path string, address net.IP, names []string) (*credentials, error) {
	directory := filepath.Join(path, "pki")
	if _, err := prepareAuthority(directory, "request-header"); err != nil {
		return nil, err
	}
	authority, err := prepareAuthority(directory, "ca")
	if err != nil {
		return nil, err
	}
	names = append([]string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}, names...)
	addresses := []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv4(10, 43, 0, 1).To4(), address}
	leaf, err := readPair(directory, "apiserver/apiserver")
	if err != nil || !fits(leaf, authority, names, addresses) {
		if err := makeLeaves(directory, authority, names, addresses); err != nil {
			return nil, err
		}
	}
	served := filepath.Join(directory, "apiserver/apiserver")
	server, err := tls.LoadX509KeyPair(served+".crt", served+".key")
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(directory, "admin/token"))
	return &credentials{authority.certificate, server, strings.TrimSpace(string(token))}, err
}

// prepareAuthority reads a trust anchor, and makes it where there is none.
func prepareAuthority(directory, name string) (*pair, error) {
	authority, err := readPair(directory, name+"/ca")
	if !errors.Is(err, os.ErrNotExist) {
		return authority, err
	}
	return makePair(directory, name+"/ca", &x509.Certificate{
		Subject: pkix.Name{CommonName: "kubesolo-" + name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil)
}

// fits tells whether a leaf is signed by the authority, still valid, and made for these names and addresses.
func fits(leaf, authority *pair, names []string, addresses []net.IP) bool {
	if leaf.certificate.CheckSignatureFrom(authority.certificate) != nil || time.Now().After(leaf.certificate.NotAfter) {
		return false
	}
	for _, name := range names {
		if leaf.certificate.VerifyHostname(name) != nil {
			return false
		}
	}
	for _, address := range addresses {
		if leaf.certificate.VerifyHostname(address.String()) != nil {
			return false
		}
	}
	return true
}

func makeLeaves(directory string, authority *pair, names []string, addresses []net.IP) error {
	serviceAccount := &x509.Certificate{Subject: pkix.Name{CommonName: "service-account"}}
	if _, err := makePair(directory, "apiserver/service-account", serviceAccount, authority); err != nil {
		return err
	}
	_, err := makePair(directory, "apiserver/apiserver", &x509.Certificate{
		Subject: pkix.Name{CommonName: "kube-apiserver"}, DNSNames: names, IPAddresses: addresses,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, authority)
	if err != nil {
		return err
	}
	_, err = makePair(directory, "admin/admin", &x509.Certificate{
		Subject:     pkix.Name{CommonName: "kubernetes-admin", Organization: []string{"system:masters"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, authority)
	if err != nil {
		return err
	}
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	token := []byte(hex.EncodeToString(secret) + "\n")
	if err := os.WriteFile(filepath.Join(directory, "admin/token"), token, 0o600); err != nil {
		return err
	}
	return writeKubeconfig(directory)
}

func readPair(directory, name string) (*pair, error) {
	certificate, err := readBlock(filepath.Join(directory, name+".crt"))
	if err != nil {
		return nil, err
	}
	key, err := readBlock(filepath.Join(directory, name+".key"))
	if err != nil {
		return nil, err
	}
	result := &pair{}
	if result.certificate, err = x509.ParseCertificate(certificate); err != nil {
		return nil, err
	}
	result.key, err = x509.ParseECPrivateKey(key)
	return result, err
}

func readBlock(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM block", path)
	}
	return block.Bytes, nil
}

// makePair makes a key and a certificate for it, signed by the authority or, without one, by itself.
func makePair(directory, name string, template *x509.Certificate, authority *pair) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Minute)
	template.NotAfter = time.Now().Add(leafLifetime)
	if template.KeyUsage == 0 {
		template.KeyUsage = x509.KeyUsageDigitalSignature
	}
	signer := &pair{template, key}
	if authority != nil {
		signer = authority
	} else {
		template.NotAfter = time.Now().Add(caLifetime)
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, signer.certificate, &key.PublicKey, signer.key)
	if err != nil {
		return nil, err
	}
	encodedKey, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Join(directory, name)), 0o700); err != nil {
		return nil, err
	}
	if err := writeBlock(filepath.Join(directory, name+".crt"), "CERTIFICATE", encoded, 0o644); err != nil {
		return nil, err
	}
	if err := writeBlock(filepath.Join(directory, name+".key"), "EC PRIVATE KEY", encodedKey, 0o600); err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(encoded)
	return &pair{certificate, key}, err
}

func writeBlock(path, kind string, data []byte, mode os.FileMode) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), mode)
}

// writeKubeconfig writes the administrator's configuration, with the certificates in it.
func writeKubeconfig(directory string) error {
	encoded := map[string]string{}
	for _, name := range []string{"ca/ca.crt", "admin/admin.crt", "admin/admin.key"} {
		data, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			return err
		}
		encoded[name] = base64.StdEncoding.EncodeToString(data)
	}
	document := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: %s
    server: https://127.0.0.1:6443
  name: kubesolo
contexts:
- context:
    cluster: kubesolo
    user: kubernetes-admin
  name: kubernetes-admin@kubesolo
current-context: kubernetes-admin@kubesolo
preferences: {}
users:
- name: admin-token
  user:
    token: admin-token
- name: kubernetes-admin
  user:
    client-certificate-data: %s
    client-key-data: %s
`, encoded["ca/ca.crt"], encoded["admin/admin.crt"], encoded["admin/admin.key"])
	return os.WriteFile(filepath.Join(directory, "admin/admin.kubeconfig"), []byte(document), 0o600)
}
