/**
 * Acts whose harm is not known from the word, in alphabetical order: general English. They are high, and they keep a name
 * that ends in a noun (`freeze_accounts`) from being taken for a question about it.
 */

/** Verbs and nothing else: they act wherever they stand in a name. */
export const OTHER_VERBS =
  'abandon abet abolish absorb accelerate accommodate accomplish accredit accuse achieve acquire adapt adjourn ' +
  'administer admit adopt advertise advise affirm affix aggravate agitate align allege allot allow allowlist ' +
  'amass amplify amputate annihilate annoy appease appoint apportion apprehend arbitrate arouse arraign arrange ' +
  'assail assassinate assemble assert assimilate assure attain attend attest attract attune augment ' +
  'authenticate autofill automate avenge avert avoid awaken backdate backfill bake banish beautify beckon ' +
  'befriend beg beguile behead besiege besmirch bestow betray bind blacken blacklist blackmail bleed bless ' +
  'bombard bootstrap borrow bother boycott brainwash brandish brighten bring broaden bulldoze bury butcher ' +
  'cajole calibrate capitalize captivate carry carve castrate categorize cater cease cede celebrate censor ' +
  'centralize certify chastise cheat chide chmod choke choose chop choreograph chown circulate circumscribe ' +
  'circumvent clamp clarify cleanse climb clobber clog clothe coalesce coax codify coerce collaborate collate ' +
  'collude colonize combine combust commandeer commemorate commence commend communicate compel compensate ' +
  'compete complain complicate comply concatenate conceal concede concoct condemn condense conduct confer ' +
  'confess confide confine confirm confiscate conform confound confront confuse congratulate conquer conserve ' +
  'consign consolidate conspire constitute constrain construct consult consume contaminate contend continue ' +
  'contradict contribute contrive convene converse convey convict convince cooperate correspond corrode ' +
  'cosponsor counteract counterfeit cremate criticize crucify crush cultivate curate curtail customize dampen ' +
  'dangle darken dazzle deafen debase debilitate decapitate deceive decentralize decertify decide declare ' +
  'decommission decompose decompress decorate decry decrypt dedicate deduct dedupe deepen deface defame defeat ' +
  'defend defer defile deflate deflect deform defragment defraud defrost defund defuse degrade dehydrate ' +
  'deliver delude demean demolish demote denounce deny denylist deplete deport depose deprecate depress deprive ' +
  'derail derive desecrate designate despatch destabilize detain deter detonate devalue devastate deviate ' +
  'devise devote devour dilute diminish disabuse disagree disallow disappoint disapprove disband disburse ' +
  'disclose discontinue discourage discriminate discuss disengage disentangle disfigure dishearten disinfect ' +
  'disintegrate dislocate dislodge dismantle dismember dismount disobey disown disparage dispel dispense ' +
  'disperse displace dispose disprove disqualify disrupt disseminate dissipate dissolve dissuade distill ' +
  'distort distract distribute disturb divert divest divulge dominate downvote drench drown dupe dwindle dye ' +
  'earn eat eavesdrop edify efface eject elect electrify electrocute elicit eliminate elongate elude emancipate ' +
  'embarrass embezzle embody embroider emit employ empower emulate enact encapsulate enchant encircle enclose ' +
  'encourage encrypt endanger endorse endow endure enforce enhance enjoin enjoy enlarge enlist enliven enmesh ' +
  'enrage enrich enrol enslave ensnare ensure entail entangle enter entertain entice entitle entrap entrench ' +
  'entrust envelop equalize equip eradicate erode escalate espouse establish evacuate evade evaporate evoke ' +
  'evolve exacerbate exaggerate exalt exceed excise excite excommunicate exert exhale exhaust exhume exile ' +
  'exonerate expedite expel expend expire explode expose extend exterminate extinguish extort extradite ' +
  'extricate extrude fabricate facilitate falsify fasten fatten favour feign ferry fertilize finetune flatten ' +
  'flatter flee fling flog flout flunk flush forbid foreclose forego forestall forewarn forget forgive ' +
  'formulate forsake fortify fracture freeze frighten fry fulfill fumigate furnish galvanize garble garnish ' +
  'gather germinate give glorify gouge govern graft greet grind grow haggle halve hamstring hang harass harden ' +
  'harmonize hasten hatch heal heighten hijack hinder hoard hoist honk hug humiliate hunt hurl hustle hydrate ' +
  'hypnotize ignite ignore illumine imbue immerse immobilize immunize impair impale impart impeach impede impel ' +
  'imperil implicate implode implore impose impound impoverish impregnate imprison improve improvise inactivate ' +
  'inaugurate incapacitate incarcerate incinerate incite incorporate increment incriminate incubate indict ' +
  'indoctrinate induce induct indulge infect infest infiltrate inflame inflate inflict inform infuriate infuse ' +
  'inhale inherit inhibit initiate inject injure inoculate inscribe insinuate insist instantiate instigate ' +
  'institute instruct insulate insure intensify interact interfere interject interlace intermix interpose ' +
  'interrogate interrupt intertwine intervene interweave intimidate introduce intrude inundate invade invent ' +
  'invest irradiate irrigate irritate isolate jettison juggle jumpstart justify kidnap laminate launder leak ' +
  'lend lengthen lessen liberate lighten liquidate listen litigate localize lodge loosen lose lower lubricate ' +
  'magnetize magnify maim maintain manipulate marry maul mechanize meddle mediate meld melt memorize mesmerize ' +
  'militarize mimic mingle misappropriate misconfigure misdirect mishandle mislead misplace misreport ' +
  'misrepresent mitigate mobilize modernize modulate moisten molest monetize monopolize mow mug multicast ' +
  'murder mutate mute mutilate nab nationalize naturalize negotiate nerf neutralize nominate normalize notarize ' +
  'nourish nullify obey obfuscate oblige obliterate obstruct occlude occupy offboard offend offload omit ' +
  'onboard operate oppose optimize orchestrate ordain organize ostracize oust outbid outdistance outrun ' +
  'outsmart outsource overcharge overclock overcome overdraw overfill overhaul overheat overpay overpower ' +
  'overrule overrun oversee overstate overthrow overturn overwhelm owe pacify pamper paralyze partake ' +
  'participate pave pawn peddle pelt penalize penetrate perforate perform perpetrate persecute persist ' +
  'personalize persuade pester phish pickpocket pierce pilfer pinch plagiarize plead please plunge poach poke ' +
  'pollute ponder populate possess postpone pour pray preach precipitate precondition preempt prefer prepare ' +
  'prescribe preserve presume pretend prevent prioritize privatize proceed proclaim procure prohibit ' +
  'proliferate prolong propagate propel proscribe prosecute protect prove provide provoke publicize pulverize ' +
  'puncture punish purify pursue qualify quell quench quicken quiesce radicalize randomize ransack rape ratify ' +
  'raze readjust reaffirm realign reallocate reap rearrange reassemble reassert reassign reattach reauthorize ' +
  'rebalance rebill rebind rebrand rebuild rebuke recalculate recalibrate recapture receive reclaim reclassify ' +
  'recommission recompile reconcile recondition reconfigure reconnect reconsider reconstitute reconstruct ' +
  'reconvene recoup recover recreate rectify recycle redact redeem redefine redesign redial redirect ' +
  'redistribute redo redouble redraft redraw reduce reelect reenable reenact reenter reestablish refactor ' +
  'refinance refine refit reflash reformat refuel refurbish refuse refute regain regenerate regroup regulate ' +
  'rehabilitate rehearse rehire reimage reindex reinforce reinitialize reinstall reinstate rejoin rekey relabel ' +
  'relaunch relax relearn relegate relieve relinquish relist reload relocate remand remap remediate remit ' +
  'remodel remount renegotiate renew renounce renovate reorder reorganize repack repaint repartition repatriate ' +
  'repel repent replant replenish replicate repopulate reposition repossess repost represent repress reprimand ' +
  'reprioritize reprocess reproduce reprogram repudiate repurpose requeue reroute rescale reschedule rescind ' +
  'resell resend resettle reshape reshard reshuffle resign resist restock restrain restrict restructure ' +
  'resubmit resurrect resuscitate resuspend resync retag retake retaliate retarget retie retire retrace retract ' +
  'retrain retransmit retrigger retune retweet reunite reuse revamp revise revitalize revive rewind rewire ' +
  'rinse rip rob rollover rouse rupture sabotage salvage sanitize satisfy saturate scald scatter scold scorch ' +
  'scramble scribble scrub scuttle seclude seduce segregate seize sequester serve sever sew shake sharpen ' +
  'shatter shave shelve shirk shorten shove shred shrink shuffle shun sideline sideload sidestep silence ' +
  'simplify siphon slander slap slash slaughter slay smash smear smelt smother smuggle snatch sneak snipe snub ' +
  'soak soften solder solicit soothe specify spoil spoof sprinkle spurn squander stab stabilize stalk ' +
  'standardize startle starve steal steer sterilize stiffen stifle stimulate stipulate stir stockpile stomp ' +
  'stow strafe straighten strangle stratify streamline strengthen strew subdue sublet submerge subpoena ' +
  'subsidize subvert sue suffocate summon superimpose supersede supervise supplant suppress surmount surround ' +
  'surveil swat swear swindle tamper tarnish teleport televise tell tempt terrify terrorize thank thicken ' +
  'thrash threaten tighten tinker tolerate topple torpedo toss trample transcode transfix transfuse transgress ' +
  'transmit transmute transpose trespass trounce tuck unbind unblock unbundle uncheck uncloak unclog uncordon ' +
  'uncover undelete underbid undercut undermine underpay undertake underwrite undo undock undress unearth ' +
  'unencrypt unfasten unfold unfreeze unhide unhitch unhook unify unite unlatch unleash unload unmark unmask ' +
  'unmount unmute unpack unpair unpark unplug unquarantine unravel unresolve unroll unroute unschedule unscrew ' +
  'unseal unseat unsend unset unsettle unshackle unsnooze unstage unstake unsuspend untether untie untrack ' +
  'unveil unwind unwire unwrap unzip upend uphold uplift uproot upsell upvote urge usurp utilize vacate ' +
  'vaccinate vandalize vanquish vaporize vary ventilate vex victimize vilify vindicate violate void vouch waive ' +
  'walk wallop warn weaken wean weaponize weld whack whitelist widen wield winterize withhold withstand worsen ' +
  'wreck wrench wring zap zeroize'

/** Nouns as well: beside a verb, they are what it is about. */
export const OTHER_NOUNS =
  'abuse access advance aid alarm alert ambush anchor animate answer appeal arrest assault assist attack ' +
  'attempt auction audit award back badge bag balance bang bankrupt barricade bat batch batter beam beat bet ' +
  'bill bin bite blame blast bleach blend block blow bludgeon board bolster bolt bomb boost boot bounce box ' +
  'brace brand breach break breed bribe brick bridge broil brush buffet bulk bully bump bundle burn burst butt ' +
  'bypass cage calm campaign cast catapult catch chair challenge charter chase circle clasp clean cleanup ' +
  'clinch clip clutch collapse color colour comb combat comfort commission compress compromise concentrate ' +
  'contact contract control cook coordinate correct corrupt crack cradle cram crank crash credit creep cripple ' +
  'crop crouch crown curb cure curse cut cycle damage dash ddos deal debit debug decrease decrement default ' +
  'delay delegate demand design dial dictate die diffuse dig dim dip direct discharge discipline discount ' +
  'discredit disgrace disguise dishonor dispatch dispute disregard ditch dive divorce dock doctor dodge doom ' +
  'dose double drape draw dress drift drill drink drip drive drug dry duck dump ease embargo embrace empty end ' +
  'engage erect escape escort exchange exclude exempt exercise exhibit exit expand exploit express fade fail ' +
  'fake fall fan farm favor fax feed fell fight finance fine fire fish fit fix flag flank flap flash flick flip ' +
  'float flood flop fly fold fool forfeit forge foster frame free fudge fuel fund furlough fuse gag gain gamble ' +
  'gate gear ghost gift glaze glue goad grab graze grip groom ground group guarantee guard hack hail halt ' +
  'hammer hamper hand handle harbor harm harness harvest haul haunt heat hedge hike hire hit hitch home hook ' +
  'hop host hurt hush implant implement imprint include increase infringe insult integrate intercept ' +
  'interchange interview invoice issue jab jail jailbreak jam jerk jump junk keep kick kiss knit knock land ' +
  'lash latch lead lean leap lease level lever leverage levy lick lift light limit loan lobby loot lunge lure ' +
  'make man mandate maneuver manufacture march market mask master meet mend mine mint mirror miss misuse mix ' +
  'mock mold mount muzzle nag nail narrow neglect nest neuter new nudge numb nurse obscure offer offset opt ' +
  'orient orphan out outfit outlaw overlap overlook override own pack paint pair pardon park partition pass ' +
  'paste patrol peck peel perch phone pick pile pilot pirate pitch pivot place plan plant pledge plow pluck ' +
  'plug plunder poison police polish pop pose position pound power practice praise preset prick print process ' +
  'prod produce program promise prompt protest proxy puff pull pump punch putt quarantine quiet quit race rack ' +
  'raid raise rally ram ramp ransom rattle reach rear rebel rebound rebuff recess recruit redress refill reform ' +
  'regret reissue relay remedy rent repair repeal repeat report reprint rerun rescue resort respawn retreat ' +
  'retry return reverse review reward ride rig ring rise roast rocket roll root rot route rub ruin rule rush ' +
  'sack sacrifice saddle sail salute sanction scam scare scout scrap scratch screw seal seat secure seed ' +
  'sentence separate settle shape shear shed shelter shield shift shine ship shock shoot shout shower shut ' +
  'shutter signal sink skid slam slice slide slip slug smoke smooth snap spam spare spark spear speed spell ' +
  'spend spike spill spin spit splash splice split sponsor spot sprawl spray spread sprout spur spy squash ' +
  'squat squeeze stack staff stage stagger stain stake stall stamp stand staple steam stick sting storm strain ' +
  'strand stream stress stretch strike strip stroke stuff stun substitute suck supply support surge surrender ' +
  'suspect swallow swamp swap swarm sweep swerve swing swirl symlink tackle tailor taint talk tame target ' +
  'tattoo taunt tax teach tear tease thaw thread thrill throttle throw thrust thump thwart tick tie tilt ' +
  'timeout tip toast torch torment torture tow train transit transplant transport trap tread treat trick trim ' +
  'trust tug tune twirl twist underline upset use utter vacuum veil vent venture vest veto voice volunteer vow ' +
  'wade wag wage wake warm warp warrant wash waste water wave wax wear weave weed whip whirl whisper whistle ' +
  'wiggle win wind wound wrap wrestle yank yeet yell yield zero zip'
