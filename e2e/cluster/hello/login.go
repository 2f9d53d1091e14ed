package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

func login(registry, file, folder string) error {
	token, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	auth := base64.StdEncoding.EncodeToString([]byte("token:" + strings.TrimSpace(string(token))))
	logins := map[string]map[string]map[string]string{"auths": {registry: {"auth": auth}}}
	content, err := json.Marshal(logins)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "config.json"), content, 0o600)
}
