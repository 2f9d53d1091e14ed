// Command hello is the application of the end-to-end suite: it answers 200 on :8080 until SIGTERM, then exits 0.
// `hello dial HOST PORT` exits 0 when that TCP port can be reached and 1 when not.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == "dial" {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(os.Args[2], os.Args[3]), 5*time.Second)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		conn.Close()
		return
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
