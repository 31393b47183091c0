//! Words to steps: grammar and units in one walk, so a fault always has its place.
//!
//! ```text
//! whole   = if whole then whole else whole | or
//! or      = and { or and }          and = not { and not }        not = [not] compare
//! compare = sum [ >= sum ]          sum = product { + product }  product = unary { * unary }
//! unary   = [-] ( number [unit] | [tag] | function ( whole , … ) | ( whole ) )
//! ```

use crate::lex::{self, Placed, Token};
use crate::program::{Arguments, At, Compare, Program, Step};
use crate::unit::{Form, Unit};
use crate::{
    DEPTH_MAX, Fault, INPUTS_MAX, Input, NODES_MAX, TABLE_POINTS_MAX, TEXT_BYTES_MAX, WINDOW_MICROS_MAX, WINDOW_MICROS_MIN, WINDOWS_MAX,
    Wanted,
};
use std::ops::Range;

#[derive(Clone, Debug)]
enum Kind {
    Number(Unit),
    Truth,
}

/// A part that has been read.
#[derive(Clone, Debug)]
struct Part {
    step: At,
    kind: Kind,
    at: Range<usize>,
    /// Its value where it is written as a number.
    literal: Option<f64>,
    /// Made of numbers without a unit only.
    bare: bool,
}

struct Parser<'p> {
    text: &'p str,
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
    known: &'p dyn Fn(&str) -> Option<Input>,
    program: Program,
    kinds: Vec<Input>,
}

type Parsed<T> = Result<T, Fault>;

pub(crate) fn parse(text: &str, wanted: &Wanted, known: &dyn Fn(&str) -> Option<Input>) -> Parsed<Program> {
    if text.len() > TEXT_BYTES_MAX {
        let max = TEXT_BYTES_MAX;
        return Err(Fault::new(0..text.len(), format!("表达式超过 {max} 字节"), format!("the expression has more than {max} bytes"))
            .help("拆成几个计算位号", "split it into several calculated tags"));
    }
    let program = Program::default();
    let mut parser = Parser { text, tokens: lex::read(text)?, next: 0, depth: 0, known, program, kinds: Vec::new() };
    let whole = parser.whole()?;
    if let Some((_, at)) = parser.tokens.get(parser.next) {
        return Err(Fault::new(at.clone(), "这里应该结束", "the expression should end here")
            .help("两个值之间缺运算符?", "is an operator missing between two values?"));
    }
    parser.finish(whole, wanted)?;
    Ok(parser.program)
}

impl Parser<'_> {
    fn finish(&mut self, whole: Part, wanted: &Wanted) -> Parsed<()> {
        let at = whole.at.clone();
        match (wanted, &whole.kind) {
            (Wanted::Truth, Kind::Truth) => {}
            (Wanted::Truth, Kind::Number(_)) => {
                return Err(Fault::new(at, "这里要一个判断(是或否)", "this must be a statement that is true or false")
                    .help("例如和一个限值比较:… >= 80 %", "such as a comparison with a limit: … >= 80 %"));
            }
            (Wanted::Number(_), Kind::Truth) => {
                return Err(Fault::new(at, "这里要一个数,而不是判断", "this must be a number, not a statement")
                    .help("if … then 1 else 0", "if … then 1 else 0"));
            }
            (Wanted::Number(unit), Kind::Number(found)) => {
                let unit = Unit::of_tag(unit);
                let found = found.clone();
                let factor = if unit.is_point() && !found.is_point() {
                    // A difference of two temperatures is shown in the unit of the scale.
                    unit.as_difference().from(&found)
                } else {
                    unit.from(&found)
                };
                let Some(factor) = factor else { return Err(misfit(at, &found, &unit)) };
                self.program.result = self.scale(whole, factor)?.step;
                return Ok(());
            }
        }
        self.program.result = whole.step;
        Ok(())
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }
    /// Takes this sign or word if it comes next.
    fn take(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found) | Token::Word(found)) if *found == wanted);
        self.next += usize::from(found);
        found
    }
    fn here(&self) -> Range<usize> {
        self.tokens.get(self.next).map_or(self.text.len()..self.text.len(), |(_, at)| at.clone())
    }
    fn expect(&mut self, wanted: &'static str, zh: &str) -> Parsed<()> {
        if self.take(wanted) {
            return Ok(());
        }
        Err(Fault::new(self.here(), format!("这里缺 {zh}"), format!("`{wanted}` is missing here")))
    }
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_MAX {
            let max = DEPTH_MAX;
            let fault = Fault::new(self.here(), format!("嵌套超过 {max} 层"), format!("nested more than {max} deep"));
            return Err(fault.help("拆成几个计算位号", "split it into several calculated tags"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }
    fn push(&mut self, step: Step, kind: Kind, at: Range<usize>) -> Parsed<Part> {
        if self.program.steps.len() >= NODES_MAX {
            let max = NODES_MAX;
            let fault = Fault::new(at, format!("超过 {max} 步"), format!("more than {max} steps"));
            return Err(fault.help("拆成几个计算位号", "split it into several calculated tags"));
        }
        self.program.steps.push(step);
        Ok(Part { step: (self.program.steps.len() - 1) as At, kind, at, literal: None, bare: false })
    }
    fn scale(&mut self, part: Part, factor: f64) -> Parsed<Part> {
        if factor == 1.0 {
            return Ok(part);
        }
        let (kind, at, bare) = (part.kind.clone(), part.at.clone(), part.bare);
        let literal = part.literal.map(|value| value * factor);
        let step = match literal {
            Some(value) => Step::Number(value),
            None => Step::Scale(part.step, factor),
        };
        Ok(Part { literal, bare, ..self.push(step, kind, at)? })
    }

    fn whole(&mut self) -> Parsed<Part> {
        self.deeper(|parser| {
            let begin = parser.here().start;
            if !parser.take("if") {
                return parser.or();
            }
            let condition = parser.whole()?;
            let condition = truth(condition)?;
            parser.expect("then", "then(则)")?;
            let then = parser.whole()?;
            parser.expect("else", "else(否则)")?;
            let otherwise = parser.whole()?;
            let at = begin..otherwise.at.end;
            let (then, otherwise, kind) = match (&then.kind, &otherwise.kind) {
                (Kind::Truth, Kind::Truth) => (then, otherwise, Kind::Truth),
                (Kind::Number(_), Kind::Number(_)) => {
                    let (then, otherwise, unit) = parser.alike(then, otherwise)?;
                    (then, otherwise, Kind::Number(unit))
                }
                _ => {
                    return Err(Fault::new(
                        otherwise.at.clone(),
                        "then 和 else 一个是数、一个是判断",
                        "one of the branches is a number and the other a statement",
                    ));
                }
            };
            parser.push(Step::If(condition.step, then.step, otherwise.step), kind, at)
        })
    }

    fn or(&mut self) -> Parsed<Part> {
        let mut left = self.and()?;
        while self.take("or") {
            let right = self.and()?;
            left = self.both(left, right, Step::Or)?;
        }
        Ok(left)
    }
    fn and(&mut self) -> Parsed<Part> {
        let mut left = self.not()?;
        while self.take("and") {
            let right = self.not()?;
            left = self.both(left, right, Step::And)?;
        }
        Ok(left)
    }
    fn both(&mut self, left: Part, right: Part, step: fn(At, At) -> Step) -> Parsed<Part> {
        let (left, right) = (truth(left)?, truth(right)?);
        let at = left.at.start..right.at.end;
        self.push(step(left.step, right.step), Kind::Truth, at)
    }
    fn not(&mut self) -> Parsed<Part> {
        let begin = self.here().start;
        if !self.take("not") {
            return self.compare();
        }
        let of = self.deeper(Self::not)?;
        let of = truth(of)?;
        let at = begin..of.at.end;
        self.push(Step::Not(of.step), Kind::Truth, at)
    }

    fn compare(&mut self) -> Parsed<Part> {
        let left = self.sum()?;
        let Some(how) = self.comparison() else { return Ok(left) };
        let right = self.sum()?;
        let at = left.at.start..right.at.end;
        if self.peek().is_some_and(|token| matches!(token, Token::Sign("<" | "<=" | ">" | ">=" | "=" | "!="))) {
            return Err(Fault::new(self.here(), "比较不能连写", "comparisons cannot be chained")
                .help("写成 … > 1 且 … < 2", "write … > 1 and … < 2"));
        }
        if let (Kind::Truth, Kind::Truth, Compare::Equal | Compare::Different) = (&left.kind, &right.kind, how) {
            return self.push(Step::Compare(how, left.step, right.step), Kind::Truth, at);
        }
        let (left, right, _) = self.alike(left, right)?;
        self.push(Step::Compare(how, left.step, right.step), Kind::Truth, at)
    }
    fn comparison(&mut self) -> Option<Compare> {
        let how = match self.peek()? {
            Token::Sign("<") => Compare::Less,
            Token::Sign("<=") => Compare::AtMost,
            Token::Sign(">") => Compare::More,
            Token::Sign(">=") => Compare::AtLeast,
            Token::Sign("=") => Compare::Equal,
            Token::Sign("!=") => Compare::Different,
            _ => return None,
        };
        self.next += 1;
        Some(how)
    }

    fn sum(&mut self) -> Parsed<Part> {
        let mut left = self.product()?;
        loop {
            let adds = self.take("+");
            if !adds && !self.take("-") {
                return Ok(left);
            }
            let right = self.product()?;
            let at = left.at.start..right.at.end;
            let (left_point, right_point) = (is_point(&left), is_point(&right));
            let shift = right.literal.is_some();
            let unit = match (left_point.clone(), right_point.clone()) {
                // A point moved by a written number of degrees: 20 ℃ + 5 ℃.
                (Some(unit), Some(_)) if adds && (shift || left.literal.is_some()) => Some(unit),
                (Some(_), Some(_)) if adds => {
                    return Err(Fault::new(at, "两个温度相加没有意义", "a sum of two temperatures means nothing")
                        .help("平均用 avg([A], [B])", "a mean is avg([A], [B])"));
                }
                (Some(unit), Some(_)) => Some(unit.as_difference()),
                (Some(unit), None) => Some(unit),
                (None, Some(unit)) if adds => Some(unit),
                _ => None,
            };
            let (one, other, mut result) = match unit {
                // A point and a difference: the sizes of their degrees must fit.
                Some(_) if left_point.is_some() != right_point.is_some() => {
                    let (one, other) = (as_difference(left), as_difference(right));
                    self.alike(one, other)?
                }
                _ => self.alike(left, right)?,
            };
            if let Some(unit) = unit {
                result = unit;
            }
            let bare = one.bare && other.bare;
            let step = if adds { Step::Add(one.step, other.step) } else { Step::Subtract(one.step, other.step) };
            left = Part { bare, ..self.push(step, Kind::Number(result), at)? };
        }
    }

    fn product(&mut self) -> Parsed<Part> {
        let mut left = self.unary()?;
        loop {
            let times = self.take("*");
            if !times && !self.take("/") {
                return Ok(left);
            }
            let right = self.unary()?;
            let at = left.at.start..right.at.end;
            let bare = left.bare && right.bare;
            let (one, other) = (factor_unit(&left)?, factor_unit(&right)?);
            let unit = if times { one.times(&other) } else { one.over(&other) };
            let Some(unit) = unit else { return Err(misfit(at, &other, &one)) };
            let step = if times { Step::Multiply(left.step, right.step) } else { Step::Divide(left.step, right.step) };
            left = Part { bare, ..self.push(step, Kind::Number(unit), at)? };
        }
    }

    fn unary(&mut self) -> Parsed<Part> {
        let begin = self.here().start;
        if !self.take("-") {
            return self.primary();
        }
        let of = self.deeper(Self::unary)?;
        let unit = number(&of)?;
        let at = begin..of.at.end;
        if let Some(value) = of.literal {
            let bare = of.bare;
            return Ok(Part { literal: Some(-value), bare, ..self.push(Step::Number(-value), Kind::Number(unit), at)? });
        }
        if unit.is_point() {
            return Err(Fault::new(at, "温度不能取负", "a temperature has no negative"));
        }
        let bare = of.bare;
        Ok(Part { bare, ..self.push(Step::Scale(of.step, -1.0), Kind::Number(unit), at)? })
    }

    fn primary(&mut self) -> Parsed<Part> {
        let Some((token, at)) = self.tokens.get(self.next).cloned() else {
            return Err(Fault::new(self.here(), "这里缺一个值", "a value is missing here"));
        };
        self.next += 1;
        match token {
            Token::Number(value, unit) => {
                let bare = unit.is_none();
                let kind = Kind::Number(unit.unwrap_or_else(Unit::none));
                Ok(Part { literal: Some(value), bare, ..self.push(Step::Number(value), kind, at)? })
            }
            Token::Tag(name) => self.tag(&name, at),
            Token::Sign("(") => {
                let inner = self.whole()?;
                self.expect(")", "右括号 )")?;
                Ok(inner)
            }
            Token::Word(word @ ("true" | "false")) => self.push(Step::Number(f64::from(u8::from(word == "true"))), Kind::Truth, at),
            Token::Word(word) if !matches!(word, "and" | "or" | "not" | "if" | "then" | "else") => self.function(word, at),
            Token::Word(_) | Token::Sign(_) => {
                let written = &self.text[at.clone()];
                let fault = Fault::new(at.clone(), format!("`{written}` 前缺一个值"), format!("a value is missing before `{written}`"));
                Err(fault)
            }
        }
    }

    fn tag(&mut self, name: &str, at: Range<usize>) -> Parsed<Part> {
        let place = match self.program.inputs.iter().position(|known| known == name) {
            Some(place) => place,
            None => {
                let Some(kind) = (self.known)(name) else {
                    return Err(Fault::new(at, format!("没有位号 `{name}`"), format!("there is no tag `{name}`")));
                };
                if self.program.inputs.len() >= INPUTS_MAX {
                    let max = INPUTS_MAX;
                    return Err(Fault::new(at, format!("超过 {max} 个位号"), format!("more than {max} tags")));
                }
                self.program.inputs.push(name.to_owned());
                self.kinds.push(kind);
                self.kinds.len() - 1
            }
        };
        match &self.kinds[place] {
            Input::Number(unit) => {
                let kind = Kind::Number(Unit::of_tag(unit));
                self.push(Step::Input(place as u16), kind, at)
            }
            Input::Switch => self.push(Step::Switch(place as u16), Kind::Truth, at),
        }
    }

    fn function(&mut self, name: &'static str, at: Range<usize>) -> Parsed<Part> {
        self.expect("(", "左括号 (")?;
        let mut list = Vec::new();
        if !self.take(")") {
            loop {
                list.push(self.whole()?);
                if self.take(")") {
                    break;
                }
                self.expect(",", "逗号或右括号")?;
            }
        }
        let end = self.tokens.get(self.next - 1).map_or(self.text.len(), |(_, at)| at.end);
        let at = at.start..end;
        match name {
            "abs" => {
                let [of] = self.exactly(list, &at, "abs(x)")?;
                let unit = number(&of)?.as_difference();
                self.push(Step::Abs(of.step), Kind::Number(unit), at)
            }
            "min" | "max" | "sum" | "avg" => self.over_list(name, list, at),
            "vote" => self.vote(list, at),
            "mean" | "rate" => self.window(name, list, at),
            "table" => self.table(list, at),
            "cylinder" => {
                let [d, level] = self.exactly(list, &at, "cylinder(10 m, [LIA-101] * 12 m)")?;
                let (d, level) = (self.length(d)?, self.length(level)?);
                self.push(Step::Cylinder(d.step, level.step), Kind::Number(Unit::cubic_metre()), at)
            }
            "horizontal" => {
                let [d, l, level] = self.exactly(list, &at, "horizontal(2.6 m, 8 m, [LIA-101])")?;
                let (d, l, level) = (self.length(d)?, self.length(l)?, self.length(level)?);
                self.push(Step::Horizontal(d.step, l.step, level.step), Kind::Number(Unit::cubic_metre()), at)
            }
            _ => {
                let [d, level] = self.exactly(list, &at, "sphere(9.2 m, [LIA-203])")?;
                let (d, level) = (self.length(d)?, self.length(level)?);
                self.push(Step::Sphere(d.step, level.step), Kind::Number(Unit::cubic_metre()), at)
            }
        }
    }

    fn exactly<const N: usize>(&self, list: Vec<Part>, at: &Range<usize>, example: &str) -> Parsed<[Part; N]> {
        list.try_into().map_err(|list: Vec<Part>| {
            let found = list.len();
            Fault::new(at.clone(), format!("要 {N} 个参数,写了 {found} 个"), format!("{N} arguments are needed, {found} are written"))
                .help(format!("例如 {example}"), format!("such as {example}"))
        })
    }

    fn arguments(&mut self, list: &[Part]) -> Arguments {
        let from = self.program.arguments.len() as u16;
        self.program.arguments.extend(list.iter().map(|part| part.step));
        Arguments { from, to: self.program.arguments.len() as u16 }
    }

    fn over_list(&mut self, name: &str, list: Vec<Part>, at: Range<usize>) -> Parsed<Part> {
        let mut list = list.into_iter();
        let Some(first) = list.next() else {
            return Err(Fault::new(at, "至少要一个参数", "at least one argument is needed"));
        };
        let mut unit = number(&first)?;
        let mut parts = vec![first];
        for part in list {
            let (first, part, together) = self.alike(parts[0].clone(), part)?;
            parts[0] = first;
            unit = together;
            parts.push(part);
        }
        if name == "sum" && unit.is_point() {
            return Err(Fault::new(at, "温度相加没有意义", "a sum of temperatures means nothing").help("平均用 avg", "a mean is avg"));
        }
        let list = self.arguments(&parts);
        let step = match name {
            "min" => Step::Min(list),
            "max" => Step::Max(list),
            "sum" => Step::Sum(list),
            _ => Step::Average(list),
        };
        self.push(step, Kind::Number(unit), at)
    }

    fn vote(&mut self, list: Vec<Part>, at: Range<usize>) -> Parsed<Part> {
        let example =
            ("例如 vote(2, [A] >= 25 ppm, [B] >= 25 ppm, [C] >= 25 ppm)", "such as vote(2, [A] >= 25 ppm, [B] >= 25 ppm, [C] >= 25 ppm)");
        let mut list = list.into_iter();
        let needed = list.next();
        let votes: Vec<Part> = list.collect();
        let Some((needed, place)) = needed.as_ref().and_then(|needed| Some((needed.literal.filter(|_| needed.bare)?, needed.at.clone())))
        else {
            return Err(
                Fault::new(at, "第一个参数是要几票的数", "the first argument is the number of votes needed").help(example.0, example.1)
            );
        };
        let votes = votes.into_iter().map(truth).collect::<Parsed<Vec<_>>>()?;
        if needed.fract() != 0.0 || needed < 1.0 || needed > votes.len() as f64 {
            let all = votes.len();
            let fault =
                Fault::new(place, format!("要的票数必须在 1 到 {all} 之间"), format!("the votes needed must be between 1 and {all}"));
            return Err(fault.help(example.0, example.1));
        }
        let list = self.arguments(&votes);
        self.push(Step::Vote(needed as u16, list), Kind::Truth, at)
    }

    fn window(&mut self, name: &str, list: Vec<Part>, at: Range<usize>) -> Parsed<Part> {
        let [of, length] = self.exactly(list, &at, if name == "mean" { "mean([FI-301], 10 min)" } else { "rate([TIA-101], 1 min)" })?;
        let (unit, time) = (number(&of)?, number(&length)?);
        let micros = length.literal.filter(|_| time.is_time()).map(|value| value * time.factor() * 1e6);
        let bounds = WINDOW_MICROS_MIN as f64..=WINDOW_MICROS_MAX as f64;
        let Some(micros) = micros.filter(|micros| bounds.contains(micros)) else {
            return Err(Fault::new(length.at, "窗口是写明的时长,1 秒到 24 小时", "a window is a written length of time, 1 s to 24 h")
                .help("例如 10 min", "such as 10 min"));
        };
        if self.program.windows.len() >= WINDOWS_MAX {
            let max = WINDOWS_MAX;
            return Err(Fault::new(at, format!("一个表达式最多 {max} 个窗口"), format!("at most {max} windows in one expression"))
                .help("拆成几个计算位号", "split it into several calculated tags"));
        }
        self.program.windows.push(micros as i64);
        let place = (self.program.windows.len() - 1) as u16;
        if name == "mean" {
            return self.push(Step::Mean(place, of.step), Kind::Number(unit), at);
        }
        let Some(unit) = unit.as_difference().over(&Unit::second()) else {
            return Err(Fault::new(at, "这个单位没有变化率", "there is no rate in this unit"));
        };
        self.push(Step::Rate(place, of.step), Kind::Number(unit), at)
    }

    /// `table([LIA-101], 0 m, 0 m³, 1 m, 12.4 m³, …)`
    fn table(&mut self, list: Vec<Part>, at: Range<usize>) -> Parsed<Part> {
        let example = ("例如 table([LIA-101], 0 m, 0 m³, 1 m, 12.4 m³)", "such as table([LIA-101], 0 m, 0 m³, 1 m, 12.4 m³)");
        if list.len() < 5 || list.len().is_multiple_of(2) || list.len() > 1 + 2 * TABLE_POINTS_MAX {
            let max = TABLE_POINTS_MAX;
            let fault = Fault::new(at, format!("容积表要 2 到 {max} 对数"), format!("a table has 2 to {max} pairs of numbers"));
            return Err(fault.help(example.0, example.1));
        }
        let mut list = list.into_iter();
        let Some(level) = list.next() else { return Err(Fault::new(at, "缺液位", "the level is missing")) };
        let unit = number(&level)?;
        let numbers: Vec<Part> = list.collect();
        let volume_unit = number(&numbers[1])?;
        let mut points: Vec<(f64, f64)> = Vec::new();
        for pair in numbers.chunks_exact(2) {
            let written = |part: &Part, unit: &Unit| match (part.literal, number(part)) {
                (Some(value), Ok(of)) => unit.from(&of).map(|factor| value * factor),
                _ => None,
            };
            let (Some(x), Some(y)) = (written(&pair[0], &unit), written(&pair[1], &volume_unit)) else {
                let fault =
                    Fault::new(pair[0].at.start..pair[1].at.end, "要写明单位的一对数", "a pair of written numbers with their units");
                return Err(fault.help(example.0, example.1));
            };
            if points.last().is_some_and(|(last, _)| *last >= x) {
                return Err(Fault::new(pair[0].at.clone(), "容积表的液位要从小到大", "the levels of a table ascend"));
            }
            points.push((x, y));
        }
        self.program.tables.push(points);
        let place = (self.program.tables.len() - 1) as u16;
        self.push(Step::Table(place, level.step), Kind::Number(volume_unit), at)
    }

    fn length(&mut self, part: Part) -> Parsed<Part> {
        let unit = number(&part)?;
        match Unit::metre().from(&unit) {
            Some(factor) => self.scale(part, factor),
            None => {
                let fault = Fault::new(
                    part.at,
                    format!("这里要长度,而不是 `{}`", unit.name()),
                    format!("a length is needed here, not `{}`", unit.name()),
                );
                Err(fault.help("百分比乘上量程高度:[LIA-101] * 12 m", "a percentage times its height: [LIA-101] * 12 m"))
            }
        }
    }

    /// Brings two numbers into one unit, that of the first unless it is a bare zero.
    fn alike(&mut self, left: Part, right: Part) -> Parsed<(Part, Part, Unit)> {
        let (one, other) = (number(&left)?, number(&right)?);
        let is_zero = |part: &Part| part.bare && part.literal == Some(0.0);
        // Zero is zero in every unit but on a scale with another one.
        if is_zero(&right) && !one.is_point() && !one.is_none() {
            return Ok((left, right, one));
        }
        if is_zero(&left) && !other.is_point() && !other.is_none() {
            return Ok((left, right, other));
        }
        // A share without a unit is more often a forgotten % than a fraction.
        let forgotten = |bare: &Part, of: &Unit| bare.bare && !of.is_none();
        if forgotten(&right, &one) || forgotten(&left, &other) {
            let (bare, unit) = if right.bare { (&right, &one) } else { (&left, &other) };
            let written = &self.text[bare.at.clone()];
            let name = unit.name();
            return Err(Fault::new(bare.at.clone(), format!("`{written}` 没有写单位"), format!("`{written}` has no unit"))
                .help(format!("写成 {written} {name}"), format!("write {written} {name}")));
        }
        // A written number of degrees beside a difference is a difference.
        let (one, other) = match (one.is_point(), other.is_point()) {
            (false, true) if right.literal.is_some() => (one, other.as_difference()),
            (true, false) if left.literal.is_some() => (one.as_difference(), other),
            _ => (one, other),
        };
        let Some(factor) = one.from(&other) else { return Err(misfit(left.at.start..right.at.end, &other, &one)) };
        let right = self.scale(right, factor)?;
        Ok((left, right, one))
    }
}

fn truth(part: Part) -> Parsed<Part> {
    match part.kind {
        Kind::Truth => Ok(part),
        Kind::Number(_) => Err(Fault::new(part.at, "这里要一个判断,而不是数", "a statement is needed here, not a number")
            .help("和一个限值比较:… >= 80 %", "compare it with a limit: … >= 80 %")),
    }
}

fn number(part: &Part) -> Parsed<Unit> {
    match &part.kind {
        Kind::Number(unit) => Ok(unit.clone()),
        Kind::Truth => Err(Fault::new(part.at.clone(), "这里要一个数,而不是判断", "a number is needed here, not a statement")
            .help("if … then 1 else 0", "if … then 1 else 0")),
    }
}

fn is_point(part: &Part) -> Option<Unit> {
    match &part.kind {
        Kind::Number(unit) if unit.is_point() => Some(unit.clone()),
        _ => None,
    }
}

fn as_difference(part: Part) -> Part {
    match &part.kind {
        Kind::Number(unit) => Part { kind: Kind::Number(unit.as_difference()), ..part },
        Kind::Truth => part,
    }
}

/// The unit of a factor: a temperature is none.
fn factor_unit(part: &Part) -> Parsed<Unit> {
    let unit = number(part)?;
    match unit.form {
        Form::Celsius | Form::Kelvin if part.literal.is_none() => Err(Fault::new(
            part.at.clone(),
            "温度不能乘除,只有温差可以",
            "a temperature cannot be multiplied, only a difference of two can",
        )
        .help("先减去一个温度:([TI] - 20 ℃)", "subtract one first: ([TI] - 20 ℃)")),
        _ => Ok(unit.as_difference()),
    }
}

fn misfit(at: Range<usize>, found: &Unit, wanted: &Unit) -> Fault {
    let show = |unit: &Unit| if unit.name().is_empty() { "(无单位 none)".to_owned() } else { unit.name().to_owned() };
    let (found, wanted) = (show(found), show(wanted));
    Fault::new(at, format!("单位 {found} 和 {wanted} 合不到一起"), format!("the units {found} and {wanted} do not go together"))
}
