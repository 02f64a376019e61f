"""Names of made-up people."""

_FIRST = """
    Ruth Naomi Boaz Orpah Obed Jesse Hannah Elkanah Lydia Silas Phoebe Mara Abigail Amos Barak
    Caleb Dinah Eli Esther Ezra Gideon Hosea Isaac Jael Joel Jonah Judith Leah Levi Micah Miriam
    Moses Nathan Noah Rachel Rhoda Samuel Sarah Tamar Tobias
"""
_LAST = """
    Moab Field Barley Gleaner Judah Ephrath Miller Baker Potter Weaver Archer Brook Carter Cooper
    Dyer Farmer Fisher Fletcher Fowler Gardner Hayward Hill Hunter Mason Mercer Olive Parker
    Reed Rivers Sawyer Shepherd Smith Sower Stone Tanner Taylor Thatcher Turner Vine Wells
"""

FIRST, LAST = tuple(_FIRST.split()), tuple(_LAST.split())
