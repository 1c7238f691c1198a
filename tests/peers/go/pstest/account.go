// A service account: its key as Google gives it out, and whether a token was signed with it. Google's clients send no key
// to anybody: they sign a token themselves (https://google.aip.dev/auth/4111).
package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// accounts are the public keys of all accounts by the id of their key.
type accounts struct {
	mu   sync.Mutex
	keys map[string]*rsa.PublicKey
}

// issue makes an account and gives the JSON of its key.
func (a *accounts) issue(_ context.Context, email string) (any, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	id := fmt.Sprintf("key-%d", len(a.keys)+1)
	a.keys[id] = &key.PublicKey
	return map[string]string{
		"type": "service_account", "project_id": "p", "client_email": email, "client_id": "1", "private_key_id": id,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":   "https://oauth2.googleapis.com/token", "universe_domain": "googleapis.com",
	}, nil
}

// verify gives header and claims of a token as they stand in an authorization, if the signature is that of an account.
func (a *accounts) verify(_ context.Context, authorization string) (any, error) {
	token, isBearer := strings.CutPrefix(authorization, "Bearer ")
	parts := strings.Split(token, ".")
	if !isBearer || len(parts) != 3 {
		return nil, errors.New("no signed token")
	}
	header, claims := map[string]any{}, map[string]any{}
	for index, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[index])
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, into); err != nil {
			return nil, err
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	key := a.keys[fmt.Sprint(header["kid"])]
	a.mu.Unlock()
	if key == nil {
		return nil, fmt.Errorf("no key %v", header["kid"])
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
		return nil, err
	}
	return map[string]any{"header": header, "claims": claims}, nil
}
