module example.com/instruction

go 1.26
