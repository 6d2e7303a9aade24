this is no template
