// SPDX-License-Identifier: Apache-2.0

// Command pubsub is Google Cloud Pub/Sub for tests: Google's own fake, pstest,
// with what it lacks. On one port without TLS it is what PUBSUB_EMULATOR_HOST
// names (REST and gRPC, no credentials) and a metadata server; on another, with
// TLS, it is pubsub.googleapis.com and the servers that tokens come from.
//
//   - REST as Google serves it, by the annotations of the API (vanguard), with
//     its error bodies, limits and rules (rest.go, rules.go);
//   - everything is in a file before it is answered, and is there again after a
//     restart (store.go);
//   - tokens of all kinds, whose signatures and times are checked (tokens.go);
//   - /control: faults to order, and counts of what has happened (control.go).
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"log"
	"net"
	"net/http"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"connectrpc.com/vanguard"
	"connectrpc.com/vanguard/vanguardgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
)

const messageMax = 32 << 20 // of gRPC: the limits are ours to say

func newAPI(s *store) (http.Handler, error) {
	encoding.RegisterCodec(vanguardgrpc.NewCodec(&vanguard.JSONCodec{}))
	server := grpc.NewServer(grpc.MaxRecvMsgSize(messageMax), grpc.MaxSendMsgSize(messageMax))
	pb.RegisterPublisherServer(server, s)
	pb.RegisterSubscriberServer(server, s)
	return vanguardgrpc.NewTranscoder(server,
		vanguard.WithDefaultServiceOptions(vanguard.WithMaxMessageBufferBytes(messageMax)))
}

func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true) // gRPC without TLS
	return p
}

func serve(plain, secure, cert, key string, emulator, google http.Handler) error {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return err
	}
	plainListener, err := net.Listen("tcp", plain)
	if err != nil {
		return err
	}
	secureListener, err := net.Listen("tcp", secure)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() {
		server := &http.Server{Handler: emulator, Protocols: protocols()}
		failed <- server.Serve(plainListener)
	}()
	go func() {
		server := &http.Server{Handler: google, Protocols: protocols(),
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}}
		failed <- server.ServeTLS(secureListener, "", "")
	}()
	return <-failed
}

func main() {
	plain := flag.String("plain", "127.0.0.1:0", "`address` without TLS")
	secure := flag.String("tls", "127.0.0.1:0", "`address` with TLS")
	cert := flag.String("cert", "", "certificate `file`")
	key := flag.String("key", "", "its key `file`")
	public := flag.String("account-key", "", "public key `file` of the service account")
	data := flag.String("data", "", "`file` that holds everything")
	limit := flag.Int64("limit", 10<<20, "largest REST request, in `bytes`")
	flag.Parse()

	fake := pstest.NewServer()
	defer fake.Close()
	c := newControl(*limit)
	s, err := openStore(context.Background(), *data, &fake.GServer, c)
	if err != nil {
		log.Fatal(err)
	}
	api, err := newAPI(s)
	if err != nil {
		log.Fatal(err)
	}
	t, err := newTokens(*public, "https://"+*secure, c)
	if err != nil {
		log.Fatal(err)
	}

	rest := c.counted(c.limited(s.permissions(errorsOfGoogle(api))))
	emulator := http.NewServeMux()
	emulator.Handle("/", rest)
	emulator.HandleFunc("/control/", c.serve)
	emulator.HandleFunc("/computeMetadata/v1/", t.metadata)
	emulator.HandleFunc("/subject", t.subject)
	google := http.NewServeMux()
	google.Handle("/", t.required(rest))
	google.HandleFunc("/token", t.token)
	google.HandleFunc("/sts", t.exchange)
	google.HandleFunc("/v1/projects/-/serviceAccounts/", t.impersonate)
	log.Fatal(serve(*plain, *secure, *cert, *key, emulator, google))
}
