// Sigstore's timestamp authority with a key and a chain made at the start. Its own command line also listens on port 2112 of every
// interface, which Rekor does too, and does not start when somebody else has it; this one does not.
package main

import (
	"flag"
	"time"

	"github.com/sigstore/timestamp-authority/v2/pkg/log"
	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
)

func main() {
	port := flag.Int("port", 3000, "where to listen on 127.0.0.1")
	flag.Parse()
	policy := "1.3.6.1.4.1.57264.2"
	for name, value := range map[string]any{
		"timestamp-signer":      "memory",
		"timestamp-signer-hash": "sha256",
		"default-policy-oid":    policy,
		"accepted-policy-oids":  []string{policy},
		"max-request-body-size": 1 << 20,
	} {
		viper.Set(name, value)
	}
	authority := server.NewRestAPIServer("127.0.0.1", *port, []string{"http"}, false, 30*time.Second, 30*time.Second)
	if err := authority.Serve(); err != nil {
		log.Logger.Fatal(err)
	}
}
