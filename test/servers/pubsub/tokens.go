// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

// What the test's credentials hold, which these servers know.
const (
	account      = "publisher@p.iam.gserviceaccount.com"
	scope        = "https://www.googleapis.com/auth/"
	clientID     = "client-of-a-test"
	clientSecret = "secret-of-a-client"
	refreshToken = "secret-refresh-token"
	subjectToken = "secret-subject-token"
	audience     = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/test"
)

// tokens gives access tokens for credentials and says which are good.
type tokens struct {
	key     *rsa.PublicKey // of the service account
	base    string         // where the server with TLS is
	control *control

	mu      sync.Mutex
	expires map[string]time.Time
	number  map[string]int
}

func newTokens(path, base string, c *control) (*tokens, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM", path)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	rsaKey, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%s: no RSA key", path)
	}
	return &tokens{key: rsaKey, base: base, control: c,
		expires: map[string]time.Time{}, number: map[string]int{}}, nil
}

// give makes a token; kind is what is counted beside.
func (t *tokens) give(kind string) (string, int) {
	c := t.control
	c.mu.Lock()
	c.counts["tokens"]++
	c.counts["tokens_"+kind]++
	number, seconds := c.counts["tokens"], c.seconds
	c.mu.Unlock()
	token := fmt.Sprintf("ya29.secret-access-token-%s-%d-%s", kind, number, strings.Repeat("x", 900))
	t.mu.Lock()
	t.expires[token] = time.Now().Add(time.Duration(seconds) * time.Second)
	t.number[token] = number
	t.mu.Unlock()
	return token, seconds
}

func (t *tokens) good(token string) bool {
	if strings.Count(token, ".") == 2 { // a JWT that the client has signed
		return t.checkJWT(token, "") == nil
	}
	t.control.mu.Lock()
	revoked := t.control.revoked
	t.control.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Now().Before(t.expires[token]) && t.number[token] > revoked
}

// required lets through who has a good token.
func (t *tokens) required(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !t.good(token) {
			t.control.count("unauthenticated")
			writeError(w, http.StatusUnauthorized, codes.Unauthenticated,
				"Request had invalid authentication credentials. Expected OAuth 2 access token.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}

// oauthError is RFC 6749's.
func oauthError(w http.ResponseWriter, code, description string) {
	writeJSON(w, http.StatusBadRequest, map[string]string{
		"error": code, "error_description": description})
}

func (t *tokens) grant(w http.ResponseWriter, kind string) {
	token, seconds := t.give(kind)
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": token, "expires_in": seconds, "token_type": "Bearer"})
}

// checkJWT checks signature and claims; aud "": a token of its own, with a scope.
func (t *tokens) checkJWT(token, aud string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("Malformed assertion")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return errors.New("Malformed signature")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(t.key, crypto.SHA256, sum[:], signature) != nil {
		return errors.New("Invalid JWT Signature.")
	}
	var header struct{ Alg, Typ, Kid string }
	var claims struct {
		Iss, Sub, Aud, Scope string
		Iat, Exp             int64
	}
	if decode(parts[0], &header) != nil || decode(parts[1], &claims) != nil {
		return errors.New("Malformed JSON")
	}
	now := time.Now().Unix()
	switch {
	case header.Alg != "RS256" || header.Typ != "JWT" || header.Kid != "key-1":
		return errors.New("Invalid header")
	case claims.Iss != account || !strings.HasPrefix(claims.Scope, scope):
		return errors.New("Invalid issuer or scope")
	case claims.Aud != aud || aud == "" && claims.Sub != account:
		return errors.New("Invalid audience")
	case claims.Iat > now+60 || claims.Exp <= now || claims.Exp-claims.Iat > 3600:
		return errors.New("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
	}
	return nil
}

func decode(part string, to any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// token is token_uri: for a service account's JWT and for a user's refresh token.
func (t *tokens) token(w http.ResponseWriter, r *http.Request) {
	grant := r.PostFormValue("grant_type") // all of the request is read before it is answered
	if refused, body := t.control.refused(); refused {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, body)
		return
	}
	switch grant {
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		if err := t.checkJWT(r.PostFormValue("assertion"), t.base+"/token"); err != nil {
			oauthError(w, "invalid_grant", err.Error())
			return
		}
		t.grant(w, "jwt")
	case "refresh_token":
		if r.PostFormValue("client_id") != clientID ||
			r.PostFormValue("client_secret") != clientSecret ||
			r.PostFormValue("refresh_token") != refreshToken {
			oauthError(w, "invalid_grant", "Token has been expired or revoked.")
			return
		}
		t.grant(w, "refresh")
	default:
		oauthError(w, "unsupported_grant_type", "Invalid grant_type: "+grant)
	}
}

// exchange is the security token service: https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
func (t *tokens) exchange(w http.ResponseWriter, r *http.Request) {
	want := map[string]string{
		"grant_type":           "urn:ietf:params:oauth:grant-type:token-exchange",
		"requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
		"subject_token_type":   "urn:ietf:params:oauth:token-type:jwt",
		"audience":             audience,
		"subject_token":        subjectToken,
	}
	for name, value := range want {
		if r.PostFormValue(name) != value {
			oauthError(w, "invalid_request", "Invalid value for "+name+".")
			return
		}
	}
	if !strings.HasPrefix(r.PostFormValue("scope"), scope) {
		oauthError(w, "invalid_scope", "The scope is not one.")
		return
	}
	t.grant(w, "sts")
}

// impersonate is generateAccessToken of the IAM credentials API.
func (t *tokens) impersonate(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Scope    []string
		Lifetime string
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !t.good(token) || !strings.Contains(token, "-sts-"):
		writeError(w, http.StatusUnauthorized, codes.Unauthenticated, "No token of the STS.")
	case !strings.HasSuffix(r.URL.Path, "/"+account+":generateAccessToken"):
		writeError(w, http.StatusForbidden, codes.PermissionDenied,
			"Permission 'iam.serviceAccounts.getAccessToken' denied on resource.")
	case json.NewDecoder(r.Body).Decode(&body) != nil || len(body.Scope) == 0 ||
		!strings.HasPrefix(body.Scope[0], scope) || body.Lifetime != "3600s":
		writeError(w, http.StatusBadRequest, codes.InvalidArgument, "Invalid request.")
	default:
		given, seconds := t.give("impersonated")
		writeJSON(w, http.StatusOK, map[string]any{"accessToken": given,
			"expireTime": time.Now().Add(time.Duration(seconds) * time.Second).UTC().Format(time.RFC3339)})
	}
}

// subject is where an external account finds its subject token by URL.
func (t *tokens) subject(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Test") != "header-of-a-test" {
		http.Error(w, "X-Test is missing", http.StatusForbidden)
		return
	}
	if r.FormValue("format") == "json" {
		writeJSON(w, http.StatusOK, map[string]string{"id_token": subjectToken})
		return
	}
	fmt.Fprint(w, subjectToken)
}

// metadata is that of a virtual machine or pod: https://cloud.google.com/compute/docs/metadata/overview
func (t *tokens) metadata(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Metadata-Flavor", "Google")
	if r.Header.Get("Metadata-Flavor") != "Google" {
		http.Error(w, "Missing Metadata-Flavor:Google header.", http.StatusForbidden)
		return
	}
	if r.URL.Path != "/computeMetadata/v1/instance/service-accounts/default/token" {
		http.NotFound(w, r)
		return
	}
	t.grant(w, "metadata")
}
