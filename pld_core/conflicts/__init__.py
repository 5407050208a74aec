"""Phase 3: what is wrong with a set of rules, what a teacher proposes, what it does to the student, when to stop. Pure.

`resolving.py` runs the student and asks the teacher. Nothing here puts a rule into force: what comes out is proposed.
"""
