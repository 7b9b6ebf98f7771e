"""`karyaksham run` beside other engines, as whole processes on the same files, results verified equal."""
