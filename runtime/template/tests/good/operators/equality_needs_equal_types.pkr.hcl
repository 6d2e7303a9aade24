# kiln-test: -inspect
locals {
  number_and_text = 1 == "1"
  bool_and_text   = true == "true"
  same_list       = ["a", 1] == ["a", 1]
  other_order     = { a = 1, b = 2 } == { b = 2, a = 1 }
  null_and_null   = null == null
  null_and_text   = null == ""
  not_equal       = [1] != [2]
}
