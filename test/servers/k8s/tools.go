// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package servers names the commands that test/servers/build builds, so that
// go.mod and go.sum cover all that they need.
package servers

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
