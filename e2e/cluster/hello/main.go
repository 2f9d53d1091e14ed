// Command hello is the application of the end-to-end suite: it answers 200 on :8080 until SIGTERM, then exits 0.
// `hello empty FOLDER` removes all that is in a folder, and exits.
// `hello dial HOST PORT` exits 0 as soon as that TCP port can be reached and 1 when it could not for ten seconds.
// `hello login REGISTRY TOKEN-FILE FOLDER` writes a token as the login for a registry to where crane looks for one, and exits.
// `hello pull REGISTRY REPOSITORY REFERENCE TOKEN-FILE CA-FILE` pulls an image with a token for a password, checks each
// digest, and exits. An empty file is no token: nobody logs in.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == "dial" {
		os.Exit(dial(net.JoinHostPort(os.Args[2], os.Args[3])))
	}
	if len(os.Args) == 3 && os.Args[1] == "empty" {
		os.Exit(empty(os.Args[2]))
	}
	if len(os.Args) == 5 && os.Args[1] == "login" {
		end(login(os.Args[2], os.Args[3], os.Args[4]))
	}
	if len(os.Args) == 7 && os.Args[1] == "pull" {
		end(pull(os.Args[2:]))
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	server := &http.Server{Addr: ":8080", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "hello")
	})}
	go func() {
		<-stop.Done()
		server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fmt.Println(err)
		os.Exit(1)
	}
}

func end(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func empty(folder string) int {
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(folder, entry.Name())))
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// A policy lets a new pod through only when the node's firewall has heard of its address: try for a while.
func dial(address string) int {
	end := time.Now().Add(10 * time.Second)
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			return 0
		}
		if time.Now().After(end) {
			fmt.Println(err)
			return 1
		}
		time.Sleep(100 * time.Millisecond)
	}
}
