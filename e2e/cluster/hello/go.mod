module cluster.local/hello

go 1.26.0
