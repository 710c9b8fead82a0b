"""Covariates from variables by a Wilkinson formula, such as ``language_match + log(footprint) + C(continent)``."""

import ast
import difflib
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import formulaic
import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError, FormulaicWarning

from diffusion import SettingError
from diffusion.arrays import Floats

FUNCTIONS: Final = {"log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "exp": np.exp}
"""Functions of numbers that a formula may call."""

TRANSFORMS: Final = ("C", "bs", "cr", "cs", "cc", "poly", "center", "scale", "I")
"""Transforms of formulaic that a formula may call; besides, ``contr.`` names the coding of a category."""

MOST: Final = 400
"""Most covariates of a formula."""

COLLINEAR: Final = 1e-8
"""Share of a column's length that a constant and other columns leave, below which it is a combination of them."""

SURE: Final = 1e-4
"""Share above which a sum of products tells it to four digits."""

KINDS: Final = ("empty", "floating", "integer", "mixed-integer-float", "boolean", "string")
"""Kinds of values that a formula takes, as pandas calls them."""

LARGEST: Final = 1e100
"""Largest number, and inverse of the smallest, whose square is one too."""

FAR: Final = 100.0
"""Times the range of a covariate that a prediction may be outside of it."""

QUOTED: Final = re.compile(r"`([^`]*)`")
"""A name in back quotes."""

_PARTS: Final = (
    ast.Expression, ast.Call, ast.Name, ast.Load, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Compare, ast.keyword,
    ast.operator, ast.unaryop, ast.cmpop, ast.Tuple, ast.List,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Design:
    """Covariates of a model.

    Attributes
    ----------
    formula
        The formula.
    variables
        Names of the variables that the formula reads.
    matrix
        (n, p): the covariates, without a constant.
    names
        (p,): name of each covariate, as formulaic makes it.
    terms
        (p,): term of the formula that each covariate belongs to.
    spec
        How the covariates are made from other values.
    categories
        Names of the variables that are made into classes.
    least, most
        (p,): smallest and largest value of each covariate.
    """

    formula: str
    variables: tuple[str, ...]
    matrix: Floats
    names: tuple[str, ...]
    terms: tuple[str, ...]
    spec: Any
    categories: tuple[str, ...]
    least: Floats
    most: Floats

    @classmethod
    def of(cls, formula: str, values: pd.DataFrame) -> Self:
        """Return the covariates of n rows of values.

        A category is compared with its first value in order. The formula ``1`` has no covariate.

        Raises
        ------
        SettingError
            When the formula cannot be read, names an unknown variable, calls anything but `FUNCTIONS` and `TRANSFORMS`,
            there are more than `MOST` covariates, or one is missing, infinite, constant, or a combination of others.

        Examples
        --------
        >>> values = pd.DataFrame({"sex": ["f", "m", "m"], "age": [30.0, 40.0, 60.0]})
        >>> Design.of("sex + log(age)", values).names
        ('sex[T.m]', 'log(age)')
        """
        variables = variables_of(formula)
        formula = formula.replace("\n", " ")
        made = _made(formula, formula, _usable(variables, values))
        names = tuple(map(str, made.columns))
        term = {at: str(term) for term, places in made.model_spec.term_indices.items() for at in places}
        kept = [at for at, name in enumerate(names) if name != "Intercept"]
        if len(kept) > MOST:
            raise SettingError(
                f"the formula '{formula}' makes {len(kept):,} covariates; at most {MOST} can be fitted: put values in "
                "classes, or take them as strata"
            )
        matrix = _matrix(made, kept)
        design = cls(
            formula,
            variables,
            matrix,
            tuple(names[at] for at in kept),
            tuple(term[at] for at in kept),
            made.model_spec,
            tuple(name for name, (kind, _) in made.model_spec.encoder_state.items() if kind.value == "categorical"),
            matrix.min(axis=0, initial=np.inf),
            matrix.max(axis=0, initial=-np.inf),
        )
        _check_columns(design)
        return design

    def of_others(self, values: pd.DataFrame) -> Floats:
        """Return, (n, p), the covariates of other values, made in the same way.

        Raises
        ------
        SettingError
            When a variable or a value is missing, a category was not there before, or a value is more than `FAR` times
            as far from those that were there as these are from each other.
        """
        usable = _usable(self.variables, values)
        # formulaic would take numbers in the place of classes as they are
        classes = {name: usable[name].astype(object) for name in self.categories if _numbers(usable, name)}
        made = _made(self.spec, self.formula, usable.assign(**classes))
        kept = [at for at, name in enumerate(made.columns) if name != "Intercept"]
        matrix = _matrix(made, kept)
        off = np.maximum(self.least - matrix, matrix - self.most) > FAR * (self.most - self.least)
        if off.any():
            row, at = np.argwhere(off)[0]
            raise SettingError(
                f"'{self.names[at]}' is {matrix[row, at]:g}, far outside the {self.least[at]:g} to {self.most[at]:g} "
                f"that the model was fitted to; it says nothing there"
            )
        return matrix


def _numbers(values: pd.DataFrame, name: str) -> bool:
    """Return whether a variable that there may be has numbers."""
    return name in values and values[name].dtype.kind in "iuf"


def variables_of(formula: str) -> tuple[str, ...]:
    """Return the names of the variables that a formula reads, in order.

    Raises
    ------
    SettingError
        When the formula is empty, cannot be read, has a side on the left or several parts, or calls anything but
        `FUNCTIONS` and `TRANSFORMS`.

    Examples
    --------
    >>> variables_of("language_match + log(distance_km)")
    ('distance_km', 'language_match')
    """
    if not isinstance(formula, str) or not formula.strip():
        raise SettingError(f"the formula is {formula!r}; name variables, or give '1' for no covariate")
    formula = formula.replace("\n", " ")
    try:
        parsed = formulaic.Formula(formula)
        factors = [factor for term in parsed for factor in term.factors]
    except (FormulaicError, SyntaxError, AttributeError, TypeError) as error:
        raise SettingError(f"cannot read the formula '{formula}': {_line(error)}") from error
    names: set[str] = set()
    for factor in factors:
        if factor.eval_method.value == "python":
            names |= _names(formula, factor.expr)
        elif factor.eval_method.value == "lookup":
            names.add(factor.expr)
    return tuple(sorted(names))


def _names(formula: str, expression: str) -> set[str]:
    """Return the variables of an expression; refuse what a formula need not contain.

    A formula in a study file of somebody else must not run code.
    """
    quoted = QUOTED.findall(expression)
    plain = QUOTED.sub("quoted", expression)
    try:
        parts = list(ast.walk(ast.parse(plain, mode="eval")))
    except SyntaxError as error:
        raise SettingError(f"cannot read '{expression}' in the formula '{formula}'") from error
    allowed = (*FUNCTIONS, *TRANSFORMS)
    for part in parts:
        called = part.func if isinstance(part, ast.Call) else None
        known = called is None or _is_coding(called) or (isinstance(called, ast.Name) and called.id in allowed)
        if not known or not (isinstance(part, _PARTS) or _is_coding(part)):
            raise SettingError(
                f"'{expression}' in the formula '{formula}' is not allowed; a formula may call {', '.join(allowed)}"
            )
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return (names - {*allowed, "contr", "quoted"}) | set(quoted)


def _is_coding(part: ast.AST) -> bool:
    """Return whether the part is a coding of categories, such as ``contr.treatment``."""
    return (
        isinstance(part, ast.Attribute)
        and isinstance(part.value, ast.Name)
        and part.value.id == "contr"
        and part.attr.isalpha()
    )


def _made(spec: Any, formula: str, values: pd.DataFrame) -> Any:
    """Return the covariates as formulaic makes them, finite."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FormulaicWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # log(0): said below
        try:
            if isinstance(spec, str):
                made = formulaic.model_matrix(spec, values, na_action="raise", context=FUNCTIONS)
            else:
                made = spec.get_model_matrix(values, context=FUNCTIONS)
        except (FormulaicError, FormulaicWarning, ValueError, TypeError, ArithmeticError, LookupError) as error:
            raise SettingError(f"the formula '{formula}' cannot be made from the values: {_line(error)}") from error
    for name in made.columns:
        wrong = ~np.isfinite(made[name].to_numpy(np.float64))
        if wrong.any():
            raise SettingError(
                f"'{name}' in the formula '{formula}' is missing or infinite for {wrong.sum():,} of {len(made):,} rows"
            )
    return made


def _matrix(made: Any, kept: Sequence[int]) -> Floats:
    """Return these columns as a matrix, row by row in memory."""
    matrix = np.empty((len(made), len(kept)))
    for at, column in enumerate(kept):
        matrix[:, at] = made.iloc[:, column]
    return matrix


def _usable(variables: Sequence[str], values: pd.DataFrame) -> pd.DataFrame:
    """Return the variables as formulaic can use them: numbers, flags, texts, or categories that are there."""
    for name in variables:
        if name not in values:
            near = difflib.get_close_matches(name, [*map(str, values)], n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(map(str, values)) or 'none'}"
            raise SettingError(f"unknown variable '{name}'; {hint}")
        if (values.columns == name).sum() > 1:
            raise SettingError(f"there are several columns '{name}'; rename all but one")
        if values[name].isna().any():
            raise SettingError(
                f"the variable '{name}' has {values[name].isna().sum():,} missing values; leave them out, or give them "
                f"a class of their own"
            )
    return values.assign(**{name: _of_one_kind(name, values[name]) for name in variables})


def _of_one_kind(name: str, column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the values of a variable: numbers or flags, or texts or categories that are there.

    Numbers in a column of objects are numbers; formulaic would make one class of each.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        there = column.cat.remove_unused_categories()
        return there if there.cat.categories.dtype.kind in "iufb" else there.cat.rename_categories(str)
    if column.dtype != object and pd.api.types.is_string_dtype(column.dtype):
        return column.astype(object)
    kind = pd.api.types.infer_dtype(column)
    if kind not in KINDS:
        raise SettingError(
            f"the variable '{name}' has values of the kind '{kind}'; a formula takes numbers, flags or texts, of one "
            f"kind in a column"
        )
    return column.infer_objects()


def _check_columns(design: Design) -> None:
    """Refuse covariates that are constant, a combination of others, or too large or small to compute with."""
    rows, covariates = design.matrix.shape
    if covariates > rows:
        raise SettingError(f"the formula '{design.formula}' has {covariates:,} covariates for {rows:,} rows; use fewer")
    largest = np.maximum(np.abs(design.least), np.abs(design.most))
    strange = np.flatnonzero((largest > LARGEST) | ((largest > 0) & (largest < 1 / LARGEST)))
    if len(strange):
        raise SettingError(
            f"'{design.names[strange[0]]}' in the formula '{design.formula}' goes up to {largest[strange[0]]:g}, which "
            f"cannot be computed with; give it in another unit"
        )
    for at in np.flatnonzero(_left(design.matrix) < COLLINEAR).tolist():
        name, column = f"'{design.names[at]}' in the formula '{design.formula}'", design.matrix[:, at]
        if (column == column[0]).all():
            raise SettingError(f"{name} has the same value everywhere")
        if _left(design.matrix[:, [at]]) < COLLINEAR:
            raise SettingError(f"{name} differs too little from {column[0]:g} to compute with; subtract a number first")
        raise SettingError(f"{name} is a combination of the covariates before it; leave it out")


def _left(matrix: Floats) -> Floats:
    """Return the share of each column's length that is no combination of a constant and the columns before it."""
    ones = np.ones(len(matrix))
    sums = ones @ matrix
    products = np.block([[ones.sum(), sums], [sums[:, None], matrix.T @ matrix]])
    length = np.sqrt(np.diag(products))
    length = np.where(length > 0, length, 1.0)
    try:
        # quick, and exact enough where nothing is near to a combination
        left = np.diag(np.linalg.cholesky(products / np.outer(length, length)))
        if left.min() > SURE:
            return left[1:]
    except np.linalg.LinAlgError:
        pass
    found = np.zeros(len(length))
    left = np.abs(np.diag(np.linalg.qr(np.column_stack([ones, matrix]) / length, mode="r")))
    found[: len(left)] = left
    return found[1:]


def _line(error: BaseException) -> str:
    """Return the first line of an error, without marks for terminals."""
    text = "".join(char for char in str(error) if char.isprintable() or char == "\n").strip()
    return text.splitlines()[0] if text else type(error).__name__
