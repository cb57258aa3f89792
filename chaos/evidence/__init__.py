"""Evidence of a run for whoever was not there: one sealed file, and how to find any change in it.

    journal ──► contents ──► manifest of hashes (──► signature) ──► archive

All that is in it follows from the journal and from what people have said of the findings, so that
the same run gives the same bytes, and another machine can make it anew and compare.
"""
