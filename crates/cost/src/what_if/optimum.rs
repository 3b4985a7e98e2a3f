//! The cheapest combination of knobs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Figure;
use crate::knobs::Axis;
use crate::{Bill, Changes, Feature, KNOBS, Knob, Totals};

/// The cheapest way to have a stack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Optimum {
    /// The knobs that are turned.
    pub knobs: Vec<&'static Knob>,
    /// The variables they set.
    pub variables: Changes,
    /// What the stack costs now.
    pub before: Totals,
    /// What it costs then.
    pub after: Totals,
}

/// The cheapest combination of knobs that keeps these features; `None` if the stack as it is has no bill.
///
/// It is searched step by step: turn, or turn back, one knob or two at once, as long as that saves something. So no change of one or two knobs
/// makes it cheaper, and a knob that saves nothing stays where it is.
pub fn optimise(keep: &[Feature], figure: Figure, price: impl FnMut(&Changes) -> Option<Bill>) -> Option<Optimum> {
    let mut search = Search {
        price,
        figure,
        known: BTreeMap::new(),
    };
    let before = search.totals(&Position::default())?;
    let moves = moves(keep);
    let mut position = Position::default();
    while let Some(better) = search.step(&position, &moves) {
        position = better;
    }
    let after = search.totals(&position)?;
    Some(Optimum {
        variables: position.changes(),
        knobs: position.0.into_values().map(|index| &KNOBS[index]).collect(),
        before,
        after,
    })
}

/// Which knob of each axis is turned, by its place in [`KNOBS`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Position(BTreeMap<Axis, usize>);

/// A knob to be turned, or an axis to be left as it was.
type Move = (Axis, Option<usize>);

struct Search<P> {
    price: P,
    figure: Figure,
    known: BTreeMap<Position, Option<Totals>>,
}

fn moves(keep: &[Feature]) -> Vec<Move> {
    let is_allowed = |knob: &Knob| !knob.gives_up.iter().any(|feature| keep.contains(feature));
    let allowed = KNOBS.iter().enumerate().filter(|(_, knob)| is_allowed(knob));
    let turns = allowed.map(|(index, knob)| (knob.axis, Some(index)));
    let mut moves: Vec<Move> = turns.collect();
    moves.extend(moves.clone().into_iter().map(|(axis, _)| (axis, None)));
    moves.dedup();
    moves
}

impl Position {
    fn after(&self, (axis, knob): Move) -> Self {
        let mut position = self.clone();
        match knob {
            Some(knob) => position.0.insert(axis, knob),
            None => position.0.remove(&axis),
        };
        position
    }

    fn changes(&self) -> Changes {
        self.0
            .values()
            .fold(Changes::new(), |changes, index| KNOBS[*index].with(&changes))
    }
}

impl<P: FnMut(&Changes) -> Option<Bill>> Search<P> {
    fn totals(&mut self, position: &Position) -> Option<Totals> {
        if let Some(known) = self.known.get(position) {
            return *known;
        }
        let totals = (self.price)(&position.changes()).map(|bill| bill.totals);
        self.known.insert(position.clone(), totals);
        totals
    }

    /// The cheapest position one move away, or two where one does not help; `None` where neither does.
    fn step(&mut self, from: &Position, moves: &[Move]) -> Option<Position> {
        let near: Vec<Position> = moves.iter().map(|step| from.after(*step)).collect();
        self.best(from, &near).or_else(|| {
            let twice = near.iter().flat_map(|near| moves.iter().map(|step| near.after(*step)));
            let far: Vec<Position> = twice.collect();
            self.best(from, &far)
        })
    }

    fn best(&mut self, from: &Position, candidates: &[Position]) -> Option<Position> {
        let now = self.totals(from).map(|totals| self.figure.of(&totals))?;
        let mut best = (now, None);
        for candidate in candidates {
            let Some(totals) = self.totals(candidate) else {
                continue;
            };
            let cost = self.figure.of(&totals);
            if cost < best.0 {
                best = (cost, Some(candidate.clone()));
            }
        }
        best.1
    }
}
