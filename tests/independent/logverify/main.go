// logverify reads a C2SP tiled log from a folder with Go's own checksum-database code, and shares
// no line with the project. It verifies the newest checkpoint, the inclusion of every entry,
// consistency with older checkpoints, and .tlog-proof files.
//
//	logverify VKEY FOLDER [old-checkpoint | proof.tlog-proof]...
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		// tile/8/<L>/<N> in Go's own log is tile/<L>/<N> in C2SP's.
		data, err := f.read(strings.Replace(t.Path(), "tile/8/", "tile/", 1), t.W*tlog.HashSize)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

// read returns a file, or the beginning of the full tile when a narrow one has gone.
func (f folder) read(path string, length int) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(string(f), path))
	if os.IsNotExist(err) {
		if full, _, narrow := strings.Cut(path, ".p/"); narrow {
			data, err = os.ReadFile(filepath.Join(string(f), full))
			if err == nil && len(data) > length {
				data = data[:length]
			}
		}
	}
	return data, err
}

// entries returns the first size leaves.
func (f folder) entries(size int64) [][]byte {
	var out [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		path := strings.Replace(tlog.Tile{H: height, L: 0, N: n, W: int(width)}.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		check(err, path)
		for len(data) >= 2 {
			length := int(binary.BigEndian.Uint16(data))
			out = append(out, data[2:2+length])
			data = data[2+length:]
		}
		if len(data) != 0 {
			fail("%s ends in the middle of an entry", path)
		}
	}
	if int64(len(out)) != size {
		fail("%d entries in the bundles, %d in the tree", len(out), size)
	}
	return out
}

func main() {
	if len(os.Args) < 3 {
		fail("usage: logverify VKEY FOLDER [checkpoint | proof.tlog-proof]...")
	}
	verifier, err := note.NewVerifier(os.Args[1])
	check(err, "verifier key")
	log := folder(os.Args[2])
	newest, err := os.ReadFile(filepath.Join(string(log), "checkpoint"))
	check(err, "checkpoint")
	tree := open(newest, verifier)
	hashes := tlog.TileHashReader(tree, log)

	for index, leaf := range log.entries(tree.N) {
		proof, err := tlog.ProveRecord(tree.N, int64(index), hashes)
		check(err, "inclusion")
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, int64(index), tlog.RecordHash(leaf)), fmt.Sprintf("entry %d", index))
	}
	fmt.Printf("%s: %d entries, each proven\n", verifier.Name(), tree.N)
	for _, path := range os.Args[3:] {
		data, err := os.ReadFile(path)
		check(err, path)
		if bytes.HasPrefix(data, []byte("c2sp.org/tlog-proof@v1\n")) {
			proveFile(path, data, verifier)
		} else {
			proveGrowth(open(data, verifier), tree, hashes)
		}
	}
}

func proveGrowth(old, tree tlog.Tree, hashes tlog.HashReader) {
	if old.N == 0 {
		fmt.Printf("0 -> %d: nothing to compare\n", tree.N)
		return
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	check(err, "consistency")
	check(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash), fmt.Sprintf("%d -> %d", old.N, tree.N))
	fmt.Printf("%d -> %d: consistent\n", old.N, tree.N)
}

func proveFile(path string, data []byte, verifier note.Verifier) {
	head, signed, _ := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	leaf, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	check(err, path)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check(err, path)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		check(err, path)
		proof = append(proof, hash)
	}
	tree := open([]byte(signed), verifier)
	check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf)), path)
	fmt.Printf("%s: entry %d of %d\n", filepath.Base(path), index, tree.N)
}

// open verifies a checkpoint. tlog.ParseTree wants Go's own first line, so that is put there.
func open(data []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(data, note.VerifierList(verifier))
	check(err, "checkpoint")
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != verifier.Name() {
		fail("a checkpoint of %q, not of %q", origin, verifier.Name())
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	check(err, "checkpoint")
	return tree
}

func check(err error, what string) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "logverify: "+format+"\n", args...)
	os.Exit(1)
}
