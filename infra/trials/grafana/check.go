// Reads a dashboard as Grafana's own Foundation SDK does, strictly: no field that it does not know, in panels and queries
// neither, and no value that its schema forbids.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	raw, err := os.ReadFile(os.Args[1])
	end(err)
	plugins.RegisterDefaultPlugins()
	var read dashboard.Dashboard
	end(read.UnmarshalJSONStrict(raw))
	end(read.Validate())
	fmt.Printf("Grafana's SDK takes it: %d panels and rows, %d variables\n", len(read.Panels), len(read.Templating.List))
}

// Where nothing is wrong the SDK gives a list of no errors, which is not nil.
func end(err error) {
	if err == nil || err.Error() == "" {
		return
	}
	fmt.Println(err)
	os.Exit(1)
}
