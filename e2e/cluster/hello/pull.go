package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

type descriptor struct {
	MediaType string
	Digest    string
}

// What an index and an image have that leads to more.
type manifest struct {
	Manifests []descriptor
	Config    *descriptor
	Layers    []descriptor
}

type puller struct {
	client     http.Client
	repository string
	token      string
}

func pull(args []string) error {
	token, err := os.ReadFile(args[3])
	if err != nil {
		return err
	}
	bundle, err := os.ReadFile(args[4])
	if err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(bundle)
	p := puller{repository: "https://" + args[0] + "/v2/" + args[1], token: strings.TrimSpace(string(token))}
	p.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
	return p.manifest(args[2])
}

func (p puller) manifest(reference string) error {
	content, err := p.get("/manifests/", reference)
	if err != nil {
		return err
	}
	var found manifest
	if err := json.Unmarshal(content, &found); err != nil {
		return err
	}
	for _, child := range found.Manifests {
		if err := p.manifest(child.Digest); err != nil {
			return err
		}
	}
	if found.Config != nil {
		found.Layers = append(found.Layers, *found.Config)
	}
	for _, blob := range found.Layers {
		if _, err := p.get("/blobs/", blob.Digest); err != nil {
			return err
		}
	}
	return nil
}

func (p puller) get(kind, reference string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, p.repository+kind+reference, nil)
	if err != nil {
		return nil, err
	}
	if p.token != "" {
		request.SetBasicAuth("token", p.token)
	}
	request.Header.Set("Accept", "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json")
	answer, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s%s: %s: %s", kind, reference, answer.Status, content)
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(content))
	if strings.HasPrefix(reference, "sha256:") && digest != reference {
		return nil, fmt.Errorf("%s%s is %s", kind, reference, digest)
	}
	fmt.Println(kind+reference, len(content), "bytes")
	return content, nil
}
