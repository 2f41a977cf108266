// An OCI registry in memory, with or without the Referrers API. It prints the address it listens on.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

func main() {
	address := flag.String("addr", "127.0.0.1:0", "where to listen")
	noReferrers := flag.Bool("no-referrers", false, "answer 404 where the Referrers API would be")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, ociserver.New(ocimem.New(), &ociserver.Options{DisableReferrersAPI: *noReferrers})))
}
