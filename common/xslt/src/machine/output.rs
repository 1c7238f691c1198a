//! Making trees: elements are opened and closed, and namespaces are declared where names need them (XSLT 1.0, section 7).

use crate::{
    Failure,
    tree::{Data, Id, Kind, Name, Text, Tree, XML},
    value::Node,
};

use super::{MAX_PARTS, Machine};

/// The deepest element that is made.
const MAX_DEPTH: usize = 10_000;

/// A tree that is being made.
#[derive(Debug, Default)]
pub struct Making {
    pub tree: Tree,
    open: Vec<Id>,
}

impl Making {
    fn here(&self) -> Id {
        self.open.last().copied().unwrap_or_default()
    }

    fn declare(&mut self, id: Id, prefix: &Text, uri: &Text) {
        // That of `xml` is known everywhere, and a prefix cannot be taken back.
        if **uri == *XML || **prefix == *"xml" || (uri.is_empty() && !prefix.is_empty()) {
            return;
        }
        let known = self.tree.namespace(id, prefix);
        if known.as_deref().unwrap_or_default() != &**uri {
            self.tree.hold(size_of::<(Text, Text)>());
            self.tree.get_mut(id).namespaces.push((Text::clone(prefix), Text::clone(uri)));
        }
    }

    fn open(&mut self, mut name: Name, namespaces: &[(Text, Text)]) {
        if *name.uri == *XML {
            name.prefix = "xml".into();
        } else if name.uri.is_empty() || *name.prefix == *"xml" {
            name.prefix = "".into();
        }
        let id = self.tree.add(self.here(), Kind::Element, Some(name.clone()), String::new());
        // One that means something else by the prefix of the element's own name cannot come along.
        let fits = |(prefix, uri): &&(Text, Text)| *prefix != name.prefix || *uri == name.uri;
        // Its own comes first.
        for own in [true, false] {
            for (prefix, uri) in
                namespaces.iter().filter(fits).filter(|(prefix, _)| own == (*prefix == name.prefix))
            {
                self.declare(id, prefix, uri);
            }
        }
        self.declare(id, &name.prefix, &name.uri);
        self.open.push(id);
    }

    /// A prefix by which an attribute can say its namespace.
    fn prefix_for(&mut self, element: Id, name: &Name) -> Text {
        if *name.uri == *XML {
            return "xml".into();
        }
        if !name.prefix.is_empty() && self.tree.namespace(element, &name.prefix).as_deref() == Some(&name.uri)
        {
            return Text::clone(&name.prefix);
        }
        let in_scope = self.tree.in_scope(element);
        if let Some((prefix, _)) =
            in_scope.iter().find(|(prefix, uri)| !prefix.is_empty() && *uri == name.uri)
        {
            return Text::clone(prefix);
        }
        // What the names of the element and of its attributes mean stays.
        let data = self.tree.get(element);
        let names = std::iter::once(element).chain(data.attributes.iter().copied());
        let used: Vec<Text> = names
            .filter_map(|id| self.tree.get(id).name.as_ref())
            .map(|name| Text::clone(&name.prefix))
            .chain(data.namespaces.iter().map(|(prefix, _)| Text::clone(prefix)))
            .collect();
        let taken = |prefix: &str| used.iter().any(|known| **known == *prefix);
        let is_free = !name.prefix.is_empty() && *name.prefix != *"xml" && !taken(&name.prefix);
        let prefix: Text = if is_free {
            Text::clone(&name.prefix)
        } else {
            let free = (1..).map(|number| format!("ns_{number}")).find(|prefix| !taken(prefix));
            free.unwrap_or_default().into()
        };
        self.declare(element, &prefix, &name.uri);
        prefix
    }
}

impl Machine<'_> {
    fn making(&mut self) -> &mut Making {
        if self.making.is_empty() {
            self.making.push(Making::default());
        }
        let last = self.making.len() - 1;
        &mut self.making[last]
    }

    fn hold_node(&mut self, text: usize) -> Result<(), Failure> {
        self.clock.room(size_of::<Data>() + text)
    }

    /// Counts a name that was made and is nobody else's.
    pub fn hold_name(&mut self, name: &Name) {
        self.making().tree.hold(name.prefix.len() + name.local.len() + name.uri.len());
    }

    pub fn open(&mut self, name: Name, namespaces: &[(Text, Text)]) -> Result<(), Failure> {
        self.hold_node(0)?;
        let depth = self.making().open.len();
        self.clock.work(namespaces.len().saturating_mul(depth + 1))?;
        if self.making().open.len() >= MAX_DEPTH {
            return Err(Failure::limit("elements are made too deeply in each other"));
        }
        self.making().open(name, namespaces);
        Ok(())
    }

    pub fn close(&mut self) {
        self.making().open.pop();
    }

    pub fn attribute(&mut self, mut name: Name, value: String) -> Result<(), Failure> {
        self.hold_node(value.len())?;
        let making = self.making();
        let Some(element) = making.open.last().copied() else {
            return Err(Failure::new("an attribute needs an element"));
        };
        if making.tree.first(element).is_some() {
            return Err(Failure::new("an attribute cannot come after what is in its element"));
        }
        let data = making.tree.get(element);
        let parts = data.attributes.len() + data.namespaces.len();
        if parts > MAX_PARTS {
            return Err(Failure::limit("an element is given too much"));
        }
        self.clock.work(parts)?;
        let making = self.making();
        if name.uri.is_empty() {
            name.prefix = "".into();
        } else {
            name.prefix = making.prefix_for(element, &name);
        }
        making.tree.set_attribute(element, name, value);
        Ok(())
    }

    pub fn write(&mut self, text: &str, raw: bool) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        self.hold_node(text.len())?;
        let making = self.making();
        let here = making.here();
        making.tree.add_text(here, if raw { Kind::Raw } else { Kind::Text }, text);
        Ok(())
    }

    pub fn comment(&mut self, text: String) -> Result<(), Failure> {
        self.hold_node(text.len())?;
        let making = self.making();
        let here = making.here();
        making.tree.add(here, Kind::Comment, None, text);
        Ok(())
    }

    pub fn instruct(&mut self, target: &str, text: String) -> Result<(), Failure> {
        self.hold_node(text.len())?;
        let making = self.making();
        let here = making.here();
        making.tree.add(here, Kind::Instruction, Some(Name::local(target)), text);
        Ok(())
    }

    /// Makes a tree of its own.
    pub fn aside(&mut self, work: impl FnOnce(&mut Self) -> Result<(), Failure>) -> Result<Tree, Failure> {
        self.making.push(Making::default());
        let done = self.stacked(work);
        let made = self.making.pop().unwrap_or_default();
        done.map(|()| made.tree)
    }

    /// Copies a node with all that is in it; namespaces that are in its scope come with it.
    pub fn copy(&mut self, node: Node) -> Result<(), Failure> {
        let tree = std::sync::Arc::clone(&self.trees[node.tree as usize]);
        let mut next = if node.id == 0 { tree.first(0) } else { Some(node.id) };
        if tree.get(node.id).kind == Kind::Attribute {
            return self.copy_one(&tree, node.id, true);
        }
        while let Some(id) = next {
            self.step()?;
            self.copy_one(&tree, id, id == node.id)?;
            let is_element = tree.get(id).kind == Kind::Element;
            next = if is_element { tree.first(id) } else { None };
            if is_element && next.is_none() {
                self.close();
            }
            let mut at = id;
            while next.is_none() && at != node.id {
                next = tree.next(at);
                if next.is_none() {
                    at = tree.parent(at).unwrap_or(node.id);
                    if at != 0 {
                        self.close();
                    }
                }
            }
        }
        Ok(())
    }

    /// Copies one node; an element is left open.
    fn copy_one(&mut self, tree: &Tree, id: Id, is_top: bool) -> Result<(), Failure> {
        let data = tree.get(id);
        let name = || data.name.clone().unwrap_or_else(|| Name::local(""));
        match data.kind {
            Kind::Root => Ok(()),
            Kind::Element => {
                let all = if is_top { tree.in_scope(id) } else { data.namespaces.clone() };
                self.open(name(), &all)?;
                for attribute in &data.attributes {
                    let data = tree.get(*attribute);
                    let name = data.name.clone().unwrap_or_else(|| Name::local(""));
                    self.attribute(name, data.value.clone())?;
                }
                Ok(())
            }
            Kind::Attribute => self.attribute(name(), data.value.clone()),
            Kind::Text | Kind::Raw => self.write(&data.value, data.kind == Kind::Raw),
            Kind::Comment => self.comment(data.value.clone()),
            Kind::Instruction => self.instruct(&name().local, data.value.clone()),
        }
    }
}
