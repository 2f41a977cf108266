package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Gives a store that knows no duplicates the eye for them that Trillian's stores on disk have: a leaf whose identity hash its tree has
// taken before is answered with ALREADY_EXISTS and the first leaf. Rekor makes a 409 of that, a CT log the first leaf's timestamp.
type uniqueLeaves struct {
	storage.LogStorage
	// Held while the store takes leaves: of two equal ones at the same moment one is the second.
	queueing sync.Mutex
	taken    map[leafName]*trillian.LogLeaf
}

type leafName struct {
	tree     int64
	identity string
}

func unique(store storage.LogStorage) *uniqueLeaves {
	return &uniqueLeaves{LogStorage: store, taken: map[leafName]*trillian.LogLeaf{}}
}

// The server has filled in the identity hashes that the client left out.
func (u *uniqueLeaves) QueueLeaves(ctx context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time) ([]*trillian.QueuedLogLeaf, error) {
	u.queueing.Lock()
	defer u.queueing.Unlock()
	answers := make([]*trillian.QueuedLogLeaf, len(leaves))
	for i, leaf := range leaves {
		name := leafName{tree.TreeId, string(leaf.LeafIdentityHash)}
		if first, known := u.taken[name]; known {
			already := status.New(codes.AlreadyExists, fmt.Sprintf("leaf already exists: %x", first.LeafIdentityHash))
			answers[i] = &trillian.QueuedLogLeaf{Leaf: first, Status: already.Proto()}
			continue
		}
		// The store gets a copy, which the sequencer will write an index and a time into, perhaps while gRPC still encodes the answer:
		// with one leaf for both, one answer in thousands was an error about a leaf that had been taken.
		copied := proto.Clone(leaf).(*trillian.LogLeaf)
		// It fails only before it takes the leaf: without such a tree, or for a hash of another length.
		if _, err := u.LogStorage.QueueLeaves(ctx, tree, []*trillian.LogLeaf{copied}, at); err != nil {
			return nil, err
		}
		u.taken[name] = leaf
		answers[i] = &trillian.QueuedLogLeaf{Leaf: leaf}
	}
	return answers, nil
}
