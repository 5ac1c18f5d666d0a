// SPDX-License-Identifier: Apache-2.0

// Package event tells what an Envelope says, by the schema in proto/ and nothing of kollect's own code.
package event

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Event is one Envelope, as a line of JSON has it.
type Event struct {
	ID         string `json:"id"`
	Type       string `json:"type"` // the payload's full name
	Seq        uint64 `json:"seq"`
	Key        string `json:"key"`
	UID        string `json:"uid"`
	ClusterID  string `json:"cluster_id"`
	APIVersion string `json:"api_version"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	// What the bus said beside the body.
	Attributes map[string]string `json:"attributes,omitempty"`
	Then       *Object           `json:"then"` // nil: the payload has none
	Now        *Object           `json:"now"`
	Shrunk     int               `json:"shrunk"` // how much of them is left out
	Bytes      int               `json:"bytes"`
	SHA256     string            `json:"sha256"` // of the body
}

// Object is what every state must say, shrunk ones too.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"metadata.name"`
}

// Schema is proto/, compiled.
type Schema struct {
	files    *protoregistry.Files
	envelope protoreflect.MessageDescriptor
}

// Load reads the descriptors that test/servers/build puts beside the programs.
func Load() (*Schema, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(filepath.Dir(program), "events.protoset"))
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(data, &set); err != nil {
		return nil, err
	}
	s := new(Schema)
	if s.files, err = protodesc.NewFiles(&set); err != nil {
		return nil, err
	}
	s.envelope, err = s.message("kollect.event.v1.Envelope")
	return s, err
}

func (s *Schema) message(name protoreflect.FullName) (protoreflect.MessageDescriptor, error) {
	d, err := s.files.FindDescriptorByName(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m, ok := d.(protoreflect.MessageDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no message", name)
	}
	return m, nil
}

// Decode reads an Envelope and unmarshals the states in it.
func (s *Schema) Decode(body []byte) (*Event, error) {
	envelope := dynamicpb.NewMessage(s.envelope)
	if err := proto.Unmarshal(body, envelope); err != nil {
		return nil, err
	}
	any := get(envelope, "payload").Message()
	name, found := strings.CutPrefix(get(any, "type_url").String(), "type.googleapis.com/")
	if !found {
		return nil, fmt.Errorf("the payload's type is %q", get(any, "type_url").String())
	}
	kind, err := s.message(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}
	payload := dynamicpb.NewMessage(kind)
	if err := proto.Unmarshal(get(any, "value").Bytes(), payload); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.Sum256(body)
	e := &Event{ID: get(envelope, "id").String(), Type: name, Seq: get(envelope, "seq").Uint(),
		UID: text(payload, "uid"), ClusterID: text(payload, "cluster_id"),
		Shrunk: int(get(envelope, "shrunk").Enum()), Bytes: len(body), SHA256: hex.EncodeToString(sum[:])}
	e.refer(get(envelope, "reference").Message())
	e.Key = e.ClusterID + "/" + e.UID + text(payload, "stream")
	return e, e.states(payload)
}

func (e *Event) refer(to protoreflect.Message) {
	e.APIVersion = get(to, "version").String()
	if group := get(to, "group").String(); group != "" {
		e.APIVersion = group + "/" + e.APIVersion
	}
	e.Kind = get(to, "kind").String()
	e.Namespace = get(to, "namespace").String()
	e.Name = get(to, "name").String()
}

func (e *Event) states(payload protoreflect.Message) error {
	for field, to := range map[protoreflect.Name]**Object{"then": &e.Then, "now": &e.Now, "resource": &e.Now} {
		d := payload.Descriptor().Fields().ByName(field)
		if d == nil || !payload.Has(d) {
			continue
		}
		object, err := state(payload.Get(d).Bytes())
		if err != nil {
			return fmt.Errorf("%s, %s: %w", e.ID, field, err)
		}
		*to = object
	}
	return nil
}

func state(data []byte) (*Object, error) {
	var o struct {
		APIVersion string
		Kind       string
		Metadata   struct{ Name string }
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, err
	}
	if o.APIVersion == "" || o.Kind == "" || o.Metadata.Name == "" {
		return nil, errors.New("the object lacks apiVersion, kind or metadata.name")
	}
	return &Object{o.APIVersion, o.Kind, o.Metadata.Name}, nil
}

// Expected are the attributes that DESIGN 1.4 wants for the event.
func (e *Event) Expected() map[string]string {
	all := map[string]string{"id": e.ID, "type": e.Type, "cluster_id": e.ClusterID,
		"api_version": e.APIVersion, "kind": e.Kind, "namespace": e.Namespace, "name": e.Name}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

func get(m protoreflect.Message, field protoreflect.Name) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(field))
}

// text is "" where the message has no such field.
func text(m protoreflect.Message, field protoreflect.Name) string {
	d := m.Descriptor().Fields().ByName(field)
	if d == nil {
		return ""
	}
	return m.Get(d).String()
}
