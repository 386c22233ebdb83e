namespace Muster.Domain.Operators;

/// <summary>What an operator may do. The numbers are the public API's.</summary>
public enum OperatorRole
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>Reads everything.</summary>
    Viewer = 1,

    /// <summary>Everything but approving and operators.</summary>
    Operator = 2,

    /// <summary>Reads and approves.</summary>
    Approver = 3,

    /// <summary>Everything but approving.</summary>
    Administrator = 4,
}

/// <summary>A class of calls of the operators' API.</summary>
public enum OperatorAction
{
    /// <summary>Allowed to nobody.</summary>
    Unspecified = 0,

    /// <summary>Get, list, watch.</summary>
    Read = 1,

    /// <summary>Changes the fleet, but neither approves nor touches operators.</summary>
    Operate = 2,

    /// <summary>Approves what another operator requested.</summary>
    Approve = 3,

    /// <summary>Adds and disables operators.</summary>
    Administer = 4,
}
