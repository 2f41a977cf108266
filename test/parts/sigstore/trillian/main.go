// Trillian's log server and signer in one process, with trees in memory: what Rekor and a CT log keep their entries in.
// It prints the address it listens on.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	"github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/server/admin"
	"github.com/google/trillian/server/interceptor"
	"github.com/google/trillian/storage"
	_ "github.com/google/trillian/storage/memory"
	"github.com/google/trillian/util/clock"
	"google.golang.org/grpc"
	"k8s.io/klog/v2"
)

func main() {
	address := flag.String("addr", "127.0.0.1:0", "where to listen")
	every := flag.Duration("every", 5*time.Millisecond, "how often queued leaves are put into their tree")
	flag.Parse()

	metrics := monitoring.InertMetricFactory{}
	memory, err := storage.NewProvider("memory", metrics)
	if err != nil {
		klog.Exit(err)
	}
	registry := extension.Registry{
		AdminStorage:  memory.AdminStorage(),
		LogStorage:    unique(memory.LogStorage()),
		QuotaManager:  quota.Noop(),
		MetricFactory: metrics,
	}
	sequencer := log.NewOperationManager(log.OperationInfo{
		Registry:    registry,
		BatchSize:   1000,
		NumWorkers:  2,
		RunInterval: *every,
		TimeSource:  clock.System,
	}, log.NewSequencerManager(registry, 0))
	go sequencer.OperationLoop(context.Background())

	listener, err := net.Listen("tcp", *address)
	if err != nil {
		klog.Exit(err)
	}
	rpc := grpc.NewServer(grpc.UnaryInterceptor(interceptor.ErrorWrapper))
	trillian.RegisterTrillianLogServer(rpc, server.NewTrillianLogRPCServer(registry, clock.System))
	trillian.RegisterTrillianAdminServer(rpc, admin.New(registry, nil))
	fmt.Println(listener.Addr())
	klog.Exit(rpc.Serve(listener))
}
