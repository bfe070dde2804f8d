//! Rule language of Doorward.
