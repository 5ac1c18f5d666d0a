// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
)

// writeError answers as Google's REST APIs do: https://cloud.google.com/apis/design/errors
func writeError(w http.ResponseWriter, httpStatus int, c codes.Code, message string) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(httpStatus)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": httpStatus, "message": message, "status": code.Code(c).String()}})
}

// held keeps an error's body back, to be written in another form.
type held struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *held) WriteHeader(status int) {
	h.status = status
	if status < 400 {
		h.ResponseWriter.WriteHeader(status)
	}
}

func (h *held) Write(b []byte) (int, error) {
	if h.status >= 400 {
		return h.body.Write(b)
	}
	return h.ResponseWriter.Write(b)
}

func (h *held) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h *held) Flush() {
	if h.status < 400 {
		http.NewResponseController(h.ResponseWriter).Flush()
	}
}

// errorsOfGoogle puts the google.rpc.Status that vanguard writes into the
// object that Google's front ends answer with. gRPC passes as it is.
func errorsOfGoogle(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/v1/") {
			next.ServeHTTP(w, r)
			return
		}
		h := &held{ResponseWriter: w}
		next.ServeHTTP(h, r)
		if h.status < 400 {
			return
		}
		w.Header().Del("Content-Length")
		w.Header().Del("Content-Encoding")
		var said struct {
			Code    codes.Code
			Message string
		}
		if err := json.Unmarshal(h.body.Bytes(), &said); err != nil {
			said.Message = h.body.String()
		}
		if said.Code == codes.Unknown && strings.Contains(said.Message, "proto:") {
			said.Code, h.status = codes.InvalidArgument, http.StatusBadRequest
		}
		writeError(w, h.status, said.Code, said.Message)
	})
}

// permissions answers topics.testIamPermissions, which pstest does not know: who
// may call may publish to what is there.
func (s *store) permissions(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		topic, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/v1/"), ":testIamPermissions")
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		s.control.count("probes")
		answer := map[string][]string{}
		if _, err := s.GetTopic(r.Context(), &pb.GetTopicRequest{Topic: topic}); err == nil {
			answer["permissions"] = []string{"pubsub.topics.publish"}
		}
		writeJSON(w, http.StatusOK, answer)
	})
}
